import { newId } from '../../src/shared/ids.js';
import { PostgresNodes } from '../../src/storage/postgres/postgres-nodes.js';
import { pruneSteps } from '../../src/storage/postgres/step-pruner.js';
import { APPROVED, asking, question, recorded, stepRecord, suspended } from '../contracts/step-drafts.js';
import { alice, closing, newRun, opening, ROOMY, StorageWorld, T0 } from '../contracts/storage-world.js';
import { countEnds } from './count-ends.js';
import { NODE, PostgresWorld } from './postgres-world.js';

/** Looks at all users on purpose: what is due, what is old, what dead nodes have left, and who writes. */
const FOR_ALL_USERS = [
  'schedules_due',
  'schedules_next',
  'budget_abandoned',
  'prune_stepped_runs',
  'prune_keys',
  'due_next',
  'writer_join',
];

/** Sorts what is few: the users of a batch, and a user's runs that have not ended. */
const FEW_ROWS = /^(users_lock|users_enlist|runs_waiting): +-> +Sort [^;]*$/;

/** What batches of writes ask and say. */
const OF_EVERY_BATCH = /^(write_|users_|batch_)/;

/** Read for users whose day has just begun, and else not at all. */
const ONCE_A_DAY = / on usage_days old /;

let postgres: PostgresWorld;
beforeAll(async () => {
  // on one connection, which then knows every statement
  postgres = await PostgresWorld.start(1);
});
afterAll(() => postgres.stop());

/** Lets every store say each of its statements once. */
async function useEverything(): Promise<void> {
  const world = await StorageWorld.open((clock) => postgres.open(clock));
  const { threads, schedules, budgets, messages, usage } = world.ports;
  const { database } = postgres;
  await useRuns(world);
  const run = await world.running(alice);
  const { id, threadId } = run;
  await threads.find(alice, threadId);
  const { nextCursor } = await threads.list(alice, { limit: 1 });
  await threads.list(alice, { limit: 1, cursor: nextCursor ?? `0:${threadId}` });
  await threads.create(alice, { id: newId('thr'), metadata: {}, createdAtMs: T0 });

  const request = { agent: 'a', input: null, metadata: {}, priority: 0 };
  const times = { cron: '* * * * *', timeZone: 'UTC', missed: 'skip', paused: false } as const;
  const schedule = { id: newId('sch'), userId: alice, ...times, request, roles: [], createdAtMs: T0, revision: 0 };
  await schedules.create(alice, schedule, 9);
  await schedules.change(alice, schedule, { paused: true });
  await schedules.find(alice, schedule.id);
  await schedules.list(alice, { limit: 1 });
  await schedules.due(T0, 1);
  await schedules.nextDueMs();
  await schedules.delete(alice, schedule.id);

  const spend = { tokens: 1, microUsd: 1 };
  const limits = { run: { tokens: 9 }, day: { tokens: 9 }, month: { tokens: 9 } };
  await budgets.reserve(alice, { key: 'a', runId: id, estimate: spend, limits, atMs: T0 });
  await budgets.used(alice, T0);
  await budgets.settle(alice, id, 'a');
  await budgets.settleAbandoned(T0);

  const message = { id: newId('msg'), index: 0, role: 'user', content: 'x', tokens: 1, createdAtMs: T0 } as const;
  await messages.append(alice, threadId, id, [message], 9);
  await messages.list(alice, threadId, { limit: 9 });
  await messages.latest(alice, threadId, { except: newId('run'), tokens: 9, runs: 9 });

  await usage.byAgent(alice, { first: 0, last: 9 });
  const ended = { userId: alice, agent: 'a', status: 'completed', endedAtMs: T0, waitedMs: 1, ranMs: 1 } as const;
  await database.transaction((connection) => countEnds(connection, [{ ...ended, usage: { tokens: 1 } }]));
  const nodes = new PostgresNodes(database);
  await nodes.join({ id: NODE, role: 'all' });
  await nodes.beat(NODE, false);
  await nodes.living();
  await nodes.leave(NODE);
  await world.end(run);
  await pruneSteps(database, T0 + 1_000, 9);
  await threads.delete(alice, threadId);
  await world.ports.close();
}

async function useRuns(world: StorageWorld): Promise<void> {
  const { runs, journal, approvals } = world.ports;
  const decider = { userId: alice, roles: ['reviewer'] };
  const ask = question({ approvers: ['reviewer'], expiresAtMs: T0 + 100 });
  const run = await world.running(alice, { idempotency: { key: 'k', fingerprint: 'f' } });
  await runs.submit(alice, newRun({ notBeforeMs: T0 + 10 }), ROOMY);
  await journal.append(alice, run.id, run.fence, [recorded(stepRecord('a')), asking(ask, 'ask')]);
  await runs.suspend(alice, run.id, run.fence, { approvals: [ask.id], interrupted: ['a'] }, [suspended()], ROOMY);
  for (const filter of [{}, { status: 'failed' }, { status: 'completed' }, { status: 'queued' }] as const) {
    await runs.list(alice, filter, { limit: 1 });
    await runs.list(alice, { ...filter, threadId: run.threadId }, { limit: 1 });
  }
  await runs.find(alice, run.id);
  await runs.waiting(alice, 9);
  await runs.steps(alice, run.id);
  await runs.lane(alice);
  await runs.unfinished(undefined, 9);
  await runs.nextDueMs();
  await runs.cancelWishes([{ userId: alice, runId: run.id }]);
  await journal.read(alice, { after: 0, limit: 9 });
  await journal.read(alice, { after: 0, limit: 9, runId: run.id });
  await journal.bounds(alice);
  await journal.openToolCalls(alice, run.id);
  await approvals.find(decider, ask.id);
  for (const filter of [{ open: true }, { open: false }, { open: true, runId: run.id }]) {
    await approvals.list(decider, filter, { limit: 9 });
  }
  await approvals.decide(decider, ask.id, APPROVED, ROOMY);
  await runs.wake(T0 + 10, 9, ROOMY);
  const claimed = (await runs.claim(alice, run.id, opening))!;
  await runs.takeOver(alice, run.id, claimed.fence);
  await world.end({ ...claimed, fence: claimed.fence + 1 });
  await runs.requestCancel(alice, run.id, 'alice', () => closing(), ROOMY);
  const again = { retryOf: run.id, reuseSteps: true, idempotency: { key: 'l', fingerprint: 'f' } };
  await runs.submit(alice, newRun(again), ROOMY);
  await journal.prune(new Date(T0 + 1_000), 99);
}

interface Prepared {
  name: string;
  statement: string;
  arguments: number;
}

/** Whatever the values are, and however few rows there are. */
async function genericPlanOf(name: string, count: number, ...settings: string[]): Promise<string[]> {
  const values = Array.from({ length: count }, () => 'NULL').join(', ');
  const rows = await postgres.database.transaction(async (connection) => {
    for (const text of ['SET LOCAL plan_cache_mode = force_generic_plan', ...settings, 'DISCARD PLANS']) {
      await connection.query({ name: '', text });
    }
    const text = `EXPLAIN EXECUTE ${name}${count > 0 ? `(${values})` : ''}`;
    return connection.query<{ 'QUERY PLAN': string }>({ name: '', text });
  });
  return rows.map((row) => row['QUERY PLAN']);
}

/** Tables that are read as a whole, indices that are, and rows that are sorted after they were read. */
function slowPartsOf(plan: readonly string[]): string[] {
  return plan.filter((line, i) => {
    const wholeIndex = /Index (Only )?Scan/.test(line) && !/Index Cond/.test(plan[i + 1] ?? '');
    return wholeIndex || /Seq Scan on|-> +Sort/.test(line);
  });
}

describe('the statements on PostgreSQL', () => {
  it('statements of the stores name the user, and stay flat as the tables grow', async () => {
    await useEverything();
    const { database } = postgres;
    const prepared = await database.query<Prepared>({
      name: 'test_prepared',
      text: `SELECT name, statement, coalesce(array_length(parameter_types, 1), 0) AS arguments
           FROM pg_prepared_statements WHERE name NOT LIKE 'test%' ORDER BY name`,
    });
    expect(prepared.length).toBeGreaterThan(70);
    const unnamed = prepared.filter(
      ({ statement }) => !/user_id|FROM users|INTO users|UPDATE users|nodes/.test(statement),
    );
    expect(unnamed.map(({ name }) => name).filter((name) => !FOR_ALL_USERS.includes(name))).toEqual([]);
    const slow: string[] = [];
    const hot: string[] = [];
    for (const { name, arguments: count } of prepared) {
      const plan = await genericPlanOf(name, count, 'SET LOCAL enable_seqscan = off');
      const faults = slowPartsOf(plan).filter((part) => !part.includes(' on nodes'));
      if (faults.length > 0 && !FOR_ALL_USERS.includes(name)) slow.push(`${name}: ${faults.join('; ')}`);
      if (OF_EVERY_BATCH.test(name))
        hot.push(...slowPartsOf(await genericPlanOf(name, count)).map((part) => `${name}: ${part}`));
    }
    expect(slow.filter((fault) => !FEW_ROWS.test(fault))).toEqual([]);
    // tables that nobody has analysed yet: such a plan is kept while they grow
    expect(hot.filter((fault) => !FEW_ROWS.test(fault) && !ONCE_A_DAY.test(fault))).toEqual([]);
  });
});
