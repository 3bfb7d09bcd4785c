import { newId, type ThreadId, type UserId } from '../../src/shared/ids.js';
import { alice, bob, StorageWorld, T0, thinking } from '../contracts/storage-world.js';
import { PostgresWorld } from './postgres-world.js';

let postgres: PostgresWorld;
beforeAll(async () => {
  postgres = await PostgresWorld.start();
});
afterAll(() => postgres.stop());

describe('ThreadStore on PostgreSQL', () => {
  let world: StorageWorld;
  const thread = (id: string) => id as ThreadId;
  beforeEach(async () => {
    world = await StorageWorld.open((clock) => postgres.open(clock));
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
      await postgres.sql(
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
    await postgres.sql(
      `INSERT INTO runs (user_id, id, thread_id, agent, status, admitted, created_at, ended_at)
         SELECT 'alice', 'run_' || i, '${threadId}', 'a', 'completed', false, 0, 0 FROM generate_series(1, 170) AS i;
       INSERT INTO messages SELECT 'alice', '${threadId}', i, 'run_1', 0, 'm', 'user', 1, 0, '"secret"'
         FROM generate_series(2, 1200) AS i`,
    );
    const spent = await world.ports.budgets.used(alice, T0);
    expect(await world.ports.threads.delete(alice, threadId)).toBe(true);
    expect(await world.ports.threads.delete(alice, threadId)).toBe(false);
    for (const table of ['threads', 'runs', 'run_requests', 'run_steps', 'approvals', 'messages', 'run_spend']) {
      const [row] = await postgres.sql(
        `SELECT count(*) FILTER (WHERE user_id = 'alice')::int AS hers, count(*)::int AS all FROM ${table}`,
      );
      expect({ table, ...row }).toEqual({ table, hers: 0, all: 1 });
    }
    const events = await postgres.sql(`SELECT user_id AS by, seq::int, json FROM events ORDER BY user_id, seq`);
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
    const version = async () =>
      Number((await postgres.sql(`SELECT version FROM users WHERE id = 'alice'`))[0]?.version);
    const before = await version();
    expect(await world.ports.threads.delete(bob, thread('t'))).toBe(false);
    expect(await world.ports.threads.delete(alice, thread('t'))).toBe(true);
    expect(await version()).toBeGreaterThan(before);
  });
});
