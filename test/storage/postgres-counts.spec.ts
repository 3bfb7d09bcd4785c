import { DAY_MS, USAGE_DAYS } from '../../src/execution/usage-store.port.js';
import type { NodeId } from '../../src/shared/ids.js';
import { PostgresNodes } from '../../src/storage/postgres/postgres-nodes.js';
import { PostgresUsageStore } from '../../src/storage/postgres/postgres-usage-store.js';
import { pruneSteps } from '../../src/storage/postgres/step-pruner.js';
import type { EndedRun } from '../../src/storage/postgres/usage-table.js';
import { alice, bob, T0 } from '../contracts/storage-world.js';
import { countEnds } from './count-ends.js';
import { NODE, OTHER_NODE, PostgresWorld } from './postgres-world.js';

let postgres: PostgresWorld;
beforeAll(async () => {
  postgres = await PostgresWorld.start();
});
afterAll(() => postgres.stop());

describe('NodeRegistry on PostgreSQL', () => {
  const nodes = () => new PostgresNodes(postgres.database);
  const living = async () => (await nodes().living()).map(({ id, draining }) => (draining ? `${id} draining` : id));
  const silentFor = (id: NodeId, seconds: number) =>
    postgres.sql(`UPDATE nodes SET beat_at = beat_at - interval '${seconds} seconds' WHERE id = '${id}'`);
  beforeEach(() => postgres.empty());

  it('knows who lives, by the clock of the postgres.database, and who drains', async () => {
    await nodes().join({ id: NODE, role: 'worker' });
    await nodes().join({ id: OTHER_NODE, role: 'all' });
    const [first] = await nodes().living();
    expect(first).toMatchObject({ id: NODE, role: 'worker', draining: false });
    const [row] = await postgres.sql('SELECT extract(epoch FROM clock_timestamp())::float * 1000 AS now');
    for (const atMs of [first!.startedAtMs, first!.beatAtMs]) {
      expect(Math.abs(atMs - Number(row?.now))).toBeLessThan(60_000);
    }
    expect(await nodes().beat(OTHER_NODE, true)).toBe(true);
    expect(await living()).toEqual([NODE, `${OTHER_NODE} draining`]);
    await silentFor(NODE, 11);
    expect(await living()).toHaveLength(2);
    await silentFor(NODE, 2);
    expect(await living()).toEqual([`${OTHER_NODE} draining`]);
    await nodes().leave(OTHER_NODE);
    expect(await living()).toEqual([]);
  });

  it('tells a node that it is dead for the others, or gone, and lets no dead one rise again', async () => {
    await nodes().join({ id: NODE, role: 'all' });
    await silentFor(NODE, 13);
    expect(await nodes().beat(NODE, false)).toBe(false);
    expect(await nodes().beat(NODE, false)).toBe(false);
    expect(await living()).toEqual([]);
    expect(await nodes().beat(OTHER_NODE, false)).toBe(false);
    await silentFor(NODE, 2 * 24 * 60 * 60);
    await nodes().join({ id: OTHER_NODE, role: 'all' });
    expect(await postgres.sql('SELECT id FROM nodes')).toEqual([{ id: OTHER_NODE }]);
  });
});
describe('what is counted of ended runs on PostgreSQL', () => {
  const TODAY = Math.floor(T0 / DAY_MS);
  const usage = () => new PostgresUsageStore(postgres.database);
  const ended = (over: Partial<EndedRun> = {}): EndedRun => ({
    userId: alice,
    agent: 'a',
    status: 'completed',
    endedAtMs: T0,
    waitedMs: 1,
    ranMs: 10,
    ...over,
  });
  const count = (...ends: EndedRun[]) => postgres.database.transaction((connection) => countEnds(connection, ends));
  const ALWAYS = { first: 0, last: TODAY + 9_999 };
  beforeEach(() => postgres.empty());

  it('adds up ends by user, day and agent, many at once and one after the other', async () => {
    await count(
      ended({ usage: { tokens: 5 } }),
      ended({ status: 'failed', waitedMs: 7, ranMs: 3 }),
      ended({ agent: 'b' }),
      ended({ userId: bob, usage: { tokens: 100 } }),
    );
    await count(ended({ waitedMs: 2, ranMs: 20, usage: { tokens: 1, ['__proto__']: 1 } }));
    await count();
    const hers = await usage().byAgent(alice, ALWAYS);
    expect([...hers.keys()]).toEqual(['a', 'b']);
    expect(hers.get('a')).toEqual({
      runs: { completed: 2, degraded: 0, failed: 1, timed_out: 0, cancelled: 0 },
      waitedMs: { sum: 10, max: 7 },
      ranMs: { sum: 33, max: 20 },
      usage: { tokens: 6, ['__proto__']: 1 },
    });
    expect((await usage().byAgent(bob, ALWAYS)).get('a')).toMatchObject({
      runs: { completed: 1 },
      usage: { tokens: 100 },
    });
  });

  it("removes a user's days that are too old when a new one begins, and nobody else's", async () => {
    await count(ended(), ended({ userId: bob }));
    await count(ended({ endedAtMs: T0 + (USAGE_DAYS - 1) * DAY_MS }));
    expect((await usage().byAgent(alice, ALWAYS)).get('a')?.runs.completed).toBe(2);
    await count(ended({ endedAtMs: T0 + USAGE_DAYS * DAY_MS }));
    expect((await usage().byAgent(alice, { first: TODAY, last: TODAY })).size).toBe(0);
    expect((await usage().byAgent(bob, { first: TODAY, last: TODAY })).size).toBe(1);
  });
});
describe('the retention of steps on PostgreSQL', () => {
  it('removes those of runs that ended before, so many at once, and nobody else’s', async () => {
    await postgres.empty();
    await postgres.sql(
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
    expect(await pruneSteps(postgres.database, 20, 4)).toBe(4);
    expect(await pruneSteps(postgres.database, 20, 100)).toBe(3);
    expect(await pruneSteps(postgres.database, 20, 100)).toBe(0);
    expect(
      await postgres.sql('SELECT user_id, run_id, count(*)::int AS n FROM run_steps GROUP BY 1, 2 ORDER BY 1, 2'),
    ).toEqual([
      { user_id: 'alice', run_id: 'run_live', n: 5 },
      { user_id: 'bob', run_id: 'run_old', n: 5 },
    ]);
    expect(await postgres.sql('SELECT id FROM approvals')).toEqual([{ id: 'apr_2' }]);
    expect(await postgres.sql('SELECT role FROM approval_roles')).toEqual([]);
  });
});
