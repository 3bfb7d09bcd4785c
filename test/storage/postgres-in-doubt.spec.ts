import { setImmediate } from 'node:timers/promises';
import { Client } from 'pg';
import type { JournalledEvent } from '../../src/events/run-event.js';
import { PostgresDatabase } from '../../src/storage/postgres/postgres-database.js';
import { alice, bob, newRun, opening, ROOMY, StorageWorld, thinking, upTo } from '../contracts/storage-world.js';
import { CuttingProxy } from '../servers/cutting-proxy.js';
import { OTHER_NODE, PostgresWorld } from './postgres-world.js';

let postgres: PostgresWorld;
let proxy: CuttingProxy;
let database: PostgresDatabase;
beforeAll(async () => {
  postgres = await PostgresWorld.start();
  proxy = await CuttingProxy.to(postgres.url);
  database = await PostgresDatabase.open({ url: proxy.url, answerTimeoutMs: 1_000 });
});
afterAll(async () => {
  await database.close();
  proxy.close();
  await postgres.stop();
});

/** Another node of alice's and bob's runs, whose connections go through the proxy. */
async function openBoth() {
  const world = await StorageWorld.open((clock) => postgres.open(clock));
  const node = await postgres.join(world.clock, OTHER_NODE, database);
  const told: JournalledEvent[] = [];
  node.journal.onCommitted((events) => told.push(...events));
  const [hers, his] = [await world.running(alice), await world.running(bob)];
  return { world, node, told, hers, his };
}

describe.each([
  ['the answer to a commit is lost', { text: 'COMMIT', passOn: true }],
  ['a commit is lost', { text: 'COMMIT', passOn: false }],
  ['the answer to what is written is lost', { text: 'write_', passOn: true }],
])('when %s with the connection', (_, { text, passOn }) => {
  it('everything is written once, and everybody is told once', async () => {
    const { world, node, told, hers, his } = await openBoth();
    proxy.cutAt(text, { passOn });
    const { run } = (
      await Promise.all([
        node.runs.submit(alice, newRun(), ROOMY),
        node.journal.append(alice, hers.id, hers.fence, [thinking('a'), thinking('b')]),
        node.journal.append(bob, his.id, his.fence, [thinking('c')]),
      ])
    )[0];
    expect(await world.types(alice)).toEqual(['agent_started', 'agent_thinking', 'agent_thinking']);
    expect(await world.types(bob)).toEqual(['agent_started', 'agent_thinking']);
    expect(told.map(({ userId, seq }) => [userId, seq])).toEqual([
      [alice, 2],
      [alice, 3],
      [bob, 2],
    ]);
    expect(await world.ports.runs.lane(alice)).toMatchObject({ running: 2 });
    // what is remembered of them is right: numbers go on
    expect(await node.runs.claim(alice, run.id, opening)).toMatchObject({ status: 'running', fence: 1 });
    await node.journal.append(alice, run.id, 1, [thinking('d')]);
    expect((await world.events(alice)).map(({ seq }) => seq)).toEqual(upTo(5));
  });
});

describe('when the server takes longer to write than anybody waits', () => {
  it('what it comes to the end of after all is not written again', async () => {
    const { world, node, told, hers } = await openBoth();
    const [holder, watcher] = [postgres.url, postgres.url].map((connectionString) => new Client({ connectionString }));
    await Promise.all([holder!.connect(), watcher!.connect()]);
    const waiting = async () => {
      const { rows } = await watcher!.query<{ n: number }>(
        `SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      );
      return rows[0]!.n;
    };
    await holder!.query('BEGIN; LOCK TABLE events IN ACCESS EXCLUSIVE MODE');
    const appended = node.journal.append(alice, hers.id, hers.fence, [thinking('a')]);
    // what is being written waits for the table, and whoever begins again waits for the user
    while ((await waiting()) < 2) await setImmediate();
    await holder!.query('COMMIT');
    await appended;
    await Promise.all([holder!.end(), watcher!.end()]);
    expect(await world.types(alice)).toEqual(['agent_started', 'agent_thinking']);
    expect(told.map(({ seq }) => seq)).toEqual([2]);
  });
});

describe('when a connection falls silent', () => {
  it('as it commits, this is noticed, and what was written is written once', async () => {
    const { world, node, told, hers } = await openBoth();
    proxy.silenceAt('write_', { passOn: true });
    await node.journal.append(alice, hers.id, hers.fence, [thinking('a')]);
    expect(await world.types(alice)).toEqual(['agent_started', 'agent_thinking']);
    expect(told.map(({ seq }) => seq)).toEqual([2]);
  });

  it('with locks, other nodes get them soon, and it tries again itself', async () => {
    const { world, node, told, hers } = await openBoth();
    proxy.silenceAt('write_', { passOn: false });
    const silent = node.journal.append(alice, hers.id, hers.fence, [thinking('a')]);
    await proxy.isSilent;
    await world.ports.journal.append(alice, hers.id, hers.fence, [thinking('b')]);
    await silent;
    expect((await world.events(alice)).map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect(told).toHaveLength(1);
  });
});
