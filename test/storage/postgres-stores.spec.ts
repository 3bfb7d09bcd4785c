import { Logger } from '@nestjs/common';
import { newId, type ThreadId, type UserId } from '../../src/shared/ids.js';
import type { Clock } from '../../src/shared/clock.js';
import { PostgresBudgetStore } from '../../src/storage/postgres/postgres-budget-store.js';
import { PostgresDatabase } from '../../src/storage/postgres/postgres-database.js';
import { PostgresMessageStore } from '../../src/storage/postgres/postgres-message-store.js';
import { PostgresOperationsStore } from '../../src/storage/postgres/postgres-operations-store.js';
import { PostgresScheduleStore } from '../../src/storage/postgres/postgres-schedule-store.js';
import { PostgresThreadStore } from '../../src/storage/postgres/postgres-thread-store.js';
import { PostgresUsageStore } from '../../src/storage/postgres/postgres-usage-store.js';
import { pruneSteps } from '../../src/storage/postgres/step-pruner.js';
import { budgetStoreContract } from '../contracts/budget-store.contract.js';
import { messageStoreContract } from '../contracts/message-store.contract.js';
import { operationsStoreContract } from '../contracts/operations-store.contract.js';
import { scheduleStoreContract } from '../contracts/schedule-store.contract.js';
import { alice, bob, StorageWorld, T0, thinking, type StoragePorts } from '../contracts/storage-world.js';
import { PostgresServer } from '../servers/postgres.js';
import { MirroredRuns } from './mirrored-runs.js';

const NODE = 'nod_1';

let server: PostgresServer;
let url: string;
let database: PostgresDatabase;

beforeAll(async () => {
  Logger.overrideLogger(false);
  server = await PostgresServer.start();
  url = await server.database();
  database = await PostgresDatabase.open({ url });
});
afterAll(async () => {
  await database.close();
  await server.stop();
});

const sql = (text: string) => server.admin(text, url);

async function emptied(): Promise<void> {
  const tables = await sql(`SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'`);
  const names = tables.map(({ name }) => String(name)).filter((name) => name !== 'carrel_schema');
  await sql(`TRUNCATE ${names.join(', ')}`);
}

async function openPostgres(clock: Clock, node = NODE): Promise<StoragePorts> {
  await emptied();
  const mirror = new MirroredRuns(database, clock);
  const { runs, journal } = mirror;
  return {
    runs,
    journal: Object.assign(Object.create(journal) as typeof journal, {
      prune: (before: Date, limit: number) => pruneSteps(database, before.getTime(), limit),
    }),
    threads: new PostgresThreadStore(database),
    usage: new PostgresUsageStore(database),
    schedules: new PostgresScheduleStore(database),
    budgets: new PostgresBudgetStore(database, node),
    messages: new PostgresMessageStore(database),
    operations: new PostgresOperationsStore(database),
    approvals: undefined as never,
    close: async () => mirror.remove(),
  };
}

describe('ScheduleStore on PostgreSQL', () => {
  scheduleStoreContract(openPostgres);
});
describe('BudgetStore on PostgreSQL', () => {
  budgetStoreContract(openPostgres);

  describe('of several nodes', () => {
    const call = { key: 'a#1', estimate: { tokens: 10, microUsd: 0 }, limits: {}, atMs: T0 };
    let world: StorageWorld;
    beforeEach(async () => {
      world = await StorageWorld.open(openPostgres);
    });
    afterEach(() => world.ports.close());
    const reservedNow = async () => (await world.ports.budgets.used(alice, T0)).day.reserved.tokens;

    it('leaves what a living node has reserved alone, whoever looks, and counts it as spent when that node is dead', async () => {
      await sql(`INSERT INTO nodes (id, role) VALUES ('${NODE}', 'all')`);
      const run = await world.running(alice);
      await world.ports.budgets.reserve(alice, { ...call, runId: run.id });
      const other = new PostgresBudgetStore(database, 'nod_2');
      expect(await other.settleAbandoned(T0 + 1)).toBe(0);
      expect(await reservedNow()).toBe(10);
      await sql(`UPDATE nodes SET beat_at = clock_timestamp() - interval '13 seconds'`);
      const settled = await Promise.all([other.settleAbandoned(T0 + 1), other.settleAbandoned(T0 + 1)]);
      expect(settled.toSorted()).toEqual([0, 1]);
      expect((await world.ports.budgets.used(alice, T0)).day.spent.tokens).toBe(10);
    });

    it('lets the node that carries on with a run carry on with its reservations', async () => {
      await sql(`INSERT INTO nodes (id, role) VALUES ('nod_2', 'all')`);
      const run = await world.running(alice);
      await world.ports.budgets.reserve(alice, { ...call, runId: run.id });
      const other = new PostgresBudgetStore(database, 'nod_2');
      expect(await other.reserve(alice, { ...call, runId: run.id })).toBeUndefined();
      expect(await other.settleAbandoned(T0 + 1)).toBe(0);
      expect(await reservedNow()).toBe(10);
    });

    it('lets no more through together than fit', async () => {
      const run = await world.running(alice);
      const nodes = ['nod_1', 'nod_2', 'nod_3'].map((node) => new PostgresBudgetStore(database, node));
      const asked = Array.from({ length: 30 }, (_, i) => ({ ...call, runId: run.id, key: `call#${i}` }));
      const limits = { day: { tokens: 100 } };
      const answers = await Promise.all(asked.map((one, i) => nodes[i % 3]!.reserve(alice, { ...one, limits })));
      expect(answers.filter((excess) => excess === undefined)).toHaveLength(10);
    });
  });
});
describe('the retention of steps on PostgreSQL', () => {
  it('removes those of runs that ended before, so many at once, and nobody else’s', async () => {
    await emptied();
    await sql(
      `INSERT INTO runs (user_id, id, thread_id, agent, status, admitted, created_at, ended_at, stepped)
         VALUES ('alice', 'run_old', 't', 'a', 'completed', false, 0, 10, true),
                ('bob', 'run_old', 't', 'a', 'completed', false, 0, 30, true),
                ('alice', 'run_live', 't', 'a', 'running', true, 0, NULL, true);
       INSERT INTO run_steps SELECT u, r, 'p' || i, 1, 1, 'call', 'pure', 'ok', 1, 0
         FROM generate_series(1, 5) AS i, (VALUES ('alice', 'run_old'), ('bob', 'run_old'), ('alice', 'run_live')) AS o (u, r);
       INSERT INTO approvals (user_id, id, run_id, step, created_at, expires_at, question)
         VALUES ('alice', 'apr_1', 'run_old', 'p1', 0, 0, 'q'), ('bob', 'apr_2', 'run_old', 'p1', 0, 0, 'q');
       INSERT INTO approval_roles VALUES ('alice', 'apr_1', 'reviewer')`,
    );
    expect(await pruneSteps(database, 20, 4)).toBe(4);
    expect(await pruneSteps(database, 20, 100)).toBe(3);
    expect(await pruneSteps(database, 20, 100)).toBe(0);
    expect(await sql('SELECT user_id, run_id, count(*)::int AS n FROM run_steps GROUP BY 1, 2 ORDER BY 1, 2')).toEqual([
      { user_id: 'alice', run_id: 'run_live', n: 5 },
      { user_id: 'bob', run_id: 'run_old', n: 5 },
    ]);
    expect(await sql('SELECT id FROM approvals')).toEqual([{ id: 'apr_2' }]);
    expect(await sql('SELECT role FROM approval_roles')).toEqual([]);
  });
});
describe('MessageStore on PostgreSQL', () => {
  messageStoreContract(openPostgres);
});
describe('OperationsStore on PostgreSQL', () => {
  operationsStoreContract(openPostgres);

  it('has nothing to say of lanes that are empty', async () => {
    const store = new PostgresOperationsStore(database);
    await emptied();
    expect(await store.load()).toEqual({ placed: 0, waiting: 0, oldestUnclaimedMs: undefined });
    expect(await store.busyUsers({ limit: 5 })).toEqual({ items: [] });
    expect(await store.quietRuns(T0, 5)).toEqual([]);
    expect(await store.placedRunsOf('echo', undefined, 5)).toEqual([]);
  });
});

describe('ThreadStore on PostgreSQL', () => {
  let world: StorageWorld;
  const thread = (id: string) => id as ThreadId;
  beforeEach(async () => {
    world = await StorageWorld.open(openPostgres);
  });
  afterEach(() => world.ports.close());

  it('makes one thread of many requests at once, whose title and metadata may have any character', async () => {
    const asked = { id: thread('t'), title: 'a\u0000b\ud800', metadata: { a: ['\u0000', 1] }, createdAtMs: T0 };
    const made = await Promise.all([1, 2, 3].map(() => world.ports.threads.create(alice, asked)));
    expect(made.filter(({ created }) => created)).toHaveLength(1);
    expect(made.map((one) => one.thread)).toEqual([1, 2, 3].map(() => ({ ...asked, userId: alice })));
    expect(await world.ports.threads.find(bob, asked.id)).toBeUndefined();
  });

  it('lists newest first, byte by byte, in pages', async () => {
    for (const id of ['b', 'A', 'a', 'B']) {
      await world.ports.threads.create(alice, { id: thread(id), metadata: {}, createdAtMs: T0 });
    }
    await world.ports.threads.create(bob, { id: thread('z'), metadata: {}, createdAtMs: T0 });
    const ids: string[] = [];
    for (let cursor: string | undefined; ;) {
      const page = await world.ports.threads.list(alice, { limit: 3, cursor });
      ids.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor;
      if (cursor === undefined) break;
    }
    expect(ids).toEqual(['b', 'a', 'B', 'A']);
    for (const cursor of ['', 'x', '1', "1' OR 1=1"]) {
      await expect(world.ports.threads.list(alice, { limit: 1, cursor })).rejects.toMatchObject({
        code: 'invalid_request',
      });
    }
  });

  it('deletes a thread of hundreds of runs with all that hangs on it, and nothing of bob’s thread of the same id', async () => {
    const said = async (userId: UserId) => {
      const run = await world.running(userId, { threadId: thread('t","data":{') });
      await world.ports.journal.append(userId, run.id, run.fence, [
        thinking('secret ,"data":{}', { step: 's","data":"' }),
      ]);
      const message = {
        id: newId('msg'),
        index: 0,
        role: 'user',
        content: 'secret',
        tokens: 1,
        createdAtMs: T0,
      } as const;
      await world.ports.messages.append(userId, run.threadId, run.id, [message], 9_000);
      await sql(
        `INSERT INTO run_steps SELECT '${userId}', '${run.id}', 'a', 1, 1, 'call', 'pure', 'ok', 1, 0;
         INSERT INTO approvals SELECT '${userId}', '${newId('apr')}', '${run.id}', 'a', 0, 0, 'secret'`,
      );
      await world.ports.budgets.reserve(userId, {
        key: 'a#1',
        runId: run.id,
        estimate: { tokens: 1, microUsd: 1 },
        limits: {},
        atMs: T0,
      });
      await world.ports.budgets.settle(userId, run.id, 'a#1');
      await world.end(run);
      return run.threadId;
    };
    const threadId = await said(alice);
    await said(bob);
    await sql(
      `INSERT INTO runs (user_id, id, thread_id, agent, status, admitted, created_at, ended_at)
         SELECT 'alice', 'run_' || i, '${threadId}', 'a', 'completed', false, 0, 0 FROM generate_series(1, 170) AS i;
       INSERT INTO messages SELECT 'alice', '${threadId}', i, 'run_1', 0, 'm', 'user', 1, 0, '"secret"'
         FROM generate_series(2, 1200) AS i`,
    );
    const spent = await world.ports.budgets.used(alice, T0);
    expect(await world.ports.threads.delete(alice, threadId)).toBe(true);
    expect(await world.ports.threads.delete(alice, threadId)).toBe(false);
    for (const table of ['threads', 'runs', 'run_requests', 'run_steps', 'approvals', 'messages', 'run_spend']) {
      const [row] = await sql(
        `SELECT count(*) FILTER (WHERE user_id = 'alice')::int AS hers, count(*)::int AS all FROM ${table}`,
      );
      expect({ table, ...row }).toEqual({ table, hers: 0, all: 1 });
    }
    const events = await sql(`SELECT user_id AS by, seq::int, json FROM events ORDER BY user_id, seq`);
    expect(events.map(({ by, seq }) => `${String(by)} ${String(seq)}`)).toEqual(
      ['alice', 'bob'].flatMap((by) => [1, 2, 3].map((seq) => `${by} ${seq}`)),
    );
    const parsedEvents = events.map(({ json }) => JSON.parse(String(json)) as { data: object; step?: string });
    expect(parsedEvents.slice(0, 3).map(({ data }) => data)).toEqual([{}, {}, {}]);
    expect(parsedEvents[1]?.step).toBe('s","data":"');
    expect(parsedEvents.slice(3).every(({ data }) => Object.keys(data).length > 0)).toBe(true);
    expect(await world.ports.budgets.used(alice, T0)).toEqual(spent);
  });

  it('refuses to delete a thread while a run of it has not ended, and tells other nodes to look again afterwards', async () => {
    const run = await world.running(alice, { threadId: thread('t') });
    await expect(world.ports.threads.delete(alice, thread('t'))).rejects.toMatchObject({ code: 'thread_busy' });
    await world.end(run);
    const version = async () => Number((await sql(`SELECT version FROM users WHERE id = 'alice'`))[0]?.version);
    const before = await version();
    expect(await world.ports.threads.delete(bob, thread('t'))).toBe(false);
    expect(await world.ports.threads.delete(alice, thread('t'))).toBe(true);
    expect(await version()).toBeGreaterThan(before);
  });
});
