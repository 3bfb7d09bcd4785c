import type { RunOutcome } from '../../src/execution/run-store.port.js';
import type { TerminalStatus } from '../../src/execution/run-status.js';
import { DAY_MS, USAGE_DAYS } from '../../src/execution/usage-store.port.js';
import { newId, type UserId } from '../../src/shared/ids.js';
import { suspended } from './step-drafts.js';
import {
  alice,
  bob,
  closing,
  newRun,
  onEmptyStorage,
  opening,
  outcomeOf,
  ROOMY,
  T0,
  terminalDraft,
  upTo,
  type OpenStorage,
} from './storage-world.js';

const TODAY = Math.floor(T0 / DAY_MS);
const ALWAYS = { first: 0, last: TODAY + 10_000 };
const NO_RUNS = { completed: 0, degraded: 0, failed: 0, timed_out: 0, cancelled: 0 };

/** What every adapter of `UsageStore` has to keep. */
export function usageStoreContract(openStorage: OpenStorage): void {
  const world = onEmptyStorage(openStorage);

  interface Ended extends Partial<RunOutcome> {
    agent?: string;
    waitedMs?: number;
    ranMs?: number;
    createdAtMs?: number;
  }

  /** A run that waited and ran for so long. */
  async function ended(userId: UserId, { agent, waitedMs = 0, ranMs = 0, createdAtMs = T0, ...over }: Ended = {}) {
    const { runs } = world().ports;
    const { run } = await runs.submit(userId, newRun({ agent: agent ?? 'summarise', createdAtMs }), ROOMY);
    world().clock.advance(createdAtMs + waitedMs - world().clock.now());
    const { id, fence } = (await runs.claim(userId, run.id, opening))!;
    const outcome = { ...outcomeOf(over.status ?? 'completed', createdAtMs + waitedMs + ranMs), ...over };
    await runs.finish(userId, id, fence, outcome, [terminalDraft(outcome.status)], ROOMY);
  }

  const figuresOf = async (userId: UserId, agent = 'summarise', days = ALWAYS) =>
    (await world().ports.usage.byAgent(userId, days)).get(agent);

  it('has nothing of a user whom nobody has seen, and none of a run that has not ended', async () => {
    await world().running(alice);
    expect(await world().ports.usage.byAgent(alice, ALWAYS)).toEqual(new Map());
    expect(await world().ports.usage.byAgent(bob, ALWAYS)).toEqual(new Map());
  });

  it('counts ends by status, and sums and compares the times', async () => {
    const statuses: TerminalStatus[] = ['completed', 'completed', 'degraded', 'failed', 'timed_out', 'cancelled'];
    for (const [i, status] of statuses.entries()) await ended(alice, { status, waitedMs: i * 10, ranMs: 100 - i });
    expect(await figuresOf(alice)).toEqual({
      runs: { completed: 2, degraded: 1, failed: 1, timed_out: 1, cancelled: 1 },
      waitedMs: { sum: 150, max: 50 },
      ranMs: { sum: 585, max: 100 },
      usage: {},
    });
  });

  it('sums what agents used by name, and takes no end that used nothing for a zero', async () => {
    await ended(alice, { usage: { inputTokens: 10, cost: 0.5 } });
    await ended(alice, {});
    await ended(alice, { status: 'failed', usage: { inputTokens: 5, ['__proto__']: 1 } });
    expect((await figuresOf(alice))?.usage).toEqual({ inputTokens: 15, cost: 0.5, ['__proto__']: 1 });
  });

  it('keeps a bounded number of names', async () => {
    for (const i of upTo(3)) {
      await ended(alice, { usage: Object.fromEntries(upTo(40).map((n) => [`n${i}-${n}`, 1])) });
    }
    expect(Object.keys((await figuresOf(alice))!.usage).length).toBe(50);
  });

  it('counts a cancelled run that never started as having waited until then', async () => {
    const { runs } = world().ports;
    const waiting = newRun({ createdAtMs: T0 - 70 });
    await runs.submit(alice, waiting, ROOMY);
    await runs.requestCancel(alice, waiting.id, alice, () => closing(), ROOMY);
    expect(await figuresOf(alice)).toMatchObject({
      runs: { ...NO_RUNS, cancelled: 1 },
      waitedMs: { sum: 70, max: 70 },
      ranMs: { sum: 0, max: 0 },
    });
  });

  it('counts a run that was held and suspended as having waited until its first start', async () => {
    const { clock, ports } = world();
    const threadId = newId('thr');
    const first = await world().running(alice, { threadId, agent: 'first' });
    const { run } = await ports.runs.submit(alice, newRun({ threadId }), ROOMY);
    clock.advance(30);
    await world().end(first);
    const claimed = (await ports.runs.claim(alice, run.id, opening))!;
    clock.advance(5);
    const sleep = { approvals: [], untilMs: clock.now() + 100 };
    await ports.runs.suspend(alice, run.id, claimed.fence, sleep, [suspended()], ROOMY);
    clock.advance(100);
    await ports.runs.wake(clock.now(), 9, ROOMY);
    const again = (await ports.runs.claim(alice, run.id, opening))!;
    await ports.runs.finish(
      alice,
      run.id,
      again.fence,
      outcomeOf('completed', clock.now()),
      [terminalDraft('completed')],
      ROOMY,
    );
    expect(await figuresOf(alice)).toMatchObject({ waitedMs: { sum: 30 }, ranMs: { sum: 105 } });
  });

  it('takes no time away when the clock was set back', async () => {
    await ended(alice, { endedAtMs: T0 - 5_000 });
    expect(await figuresOf(alice)).toMatchObject({ ranMs: { sum: 0, max: 0 } });
  });

  it('keeps agents apart, sorted by name, and alice from bob', async () => {
    await ended(alice, { agent: 'b', ranMs: 1, usage: { tokens: 1 } });
    await ended(alice, { agent: 'a', ranMs: 2 });
    await ended(bob, { agent: 'b', status: 'failed', ranMs: 4, usage: { tokens: 100 } });
    const hers = await world().ports.usage.byAgent(alice, ALWAYS);
    expect([...hers.keys()]).toEqual(['a', 'b']);
    expect(hers.get('b')).toMatchObject({
      runs: { ...NO_RUNS, completed: 1 },
      ranMs: { sum: 1 },
      usage: { tokens: 1 },
    });
    expect(await figuresOf(bob, 'b')).toMatchObject({ runs: { ...NO_RUNS, failed: 1 }, usage: { tokens: 100 } });
    expect(await figuresOf(bob, 'a')).toBeUndefined();
  });

  it('counts a run on the UTC day of its end, and answers for the days that are asked about', async () => {
    const midnight = (TODAY + 1) * DAY_MS;
    await ended(alice, { createdAtMs: midnight - 10, ranMs: 9 });
    await ended(alice, { createdAtMs: midnight - 10, ranMs: 10 });
    await ended(alice, { createdAtMs: midnight + DAY_MS });
    const countOf = async (first: number, last: number) =>
      (await figuresOf(alice, 'summarise', { first, last }))?.runs.completed;
    expect(await countOf(TODAY, TODAY)).toBe(1);
    expect(await countOf(TODAY + 1, TODAY + 1)).toBe(1);
    expect(await countOf(TODAY, TODAY + 2)).toBe(3);
    expect(await countOf(TODAY - 9, TODAY - 1)).toBeUndefined();
  });

  it("removes a user's days that are too old when a new one begins, and nobody else's", async () => {
    await ended(alice, { createdAtMs: T0 });
    await ended(bob, { createdAtMs: T0 });
    await ended(alice, { createdAtMs: T0 + (USAGE_DAYS - 1) * DAY_MS });
    expect(await figuresOf(alice)).toMatchObject({ runs: { completed: 2 } });
    await ended(alice, { createdAtMs: T0 + USAGE_DAYS * DAY_MS });
    expect(await figuresOf(alice)).toMatchObject({ runs: { completed: 2 } });
    expect(await figuresOf(alice, 'summarise', { first: TODAY, last: TODAY })).toBeUndefined();
    expect(await figuresOf(bob)).toMatchObject({ runs: { completed: 1 } });
  });

  it('sums the days, with what was spent on them, and keeps alice from bob', async () => {
    const { usage, budgets } = world().ports;
    await ended(alice, { agent: 'a', ranMs: 30 });
    await ended(alice, { agent: 'b', ranMs: 12, status: 'failed' });
    await ended(alice, { agent: 'a', ranMs: 5, createdAtMs: T0 + DAY_MS });
    await ended(bob, { ranMs: 1_000 });
    for (const [userId, tokens] of [
      [alice, 100],
      [bob, 7],
    ] as const) {
      const { id: runId } = await world().running(userId);
      const call = { key: 'call', runId, estimate: { tokens: 1, microUsd: 1 }, limits: {}, atMs: T0 + 3 * DAY_MS };
      await budgets.reserve(userId, call);
      await budgets.settle(userId, runId, 'call', { tokens, microUsd: 2_500 });
    }
    const nothing = { runs: 0, ranMs: 0, tokens: 0, microUsd: 0 };
    expect(await usage.byDay(alice, ALWAYS)).toEqual([
      { ...nothing, day: TODAY, runs: 2, ranMs: 42 },
      { ...nothing, day: TODAY + 1, runs: 1, ranMs: 5 },
      { ...nothing, day: TODAY + 3, tokens: 100, microUsd: 2_500 },
    ]);
    expect(await usage.byDay(alice, { first: TODAY + 1, last: TODAY + 2 })).toHaveLength(1);
    expect((await usage.byDay(bob, ALWAYS)).map(({ tokens }) => tokens)).toEqual([0, 7]);
    expect(await usage.byDay('nobody' as UserId, ALWAYS)).toEqual([]);
  });

  it('stays as it is when the thread is deleted', async () => {
    await ended(alice, { ranMs: 7 });
    const before = await figuresOf(alice);
    const [run] = (await world().ports.runs.list(alice, {}, { limit: 1 })).items;
    expect(await world().ports.threads.delete(alice, run!.threadId)).toBe(true);
    expect(await figuresOf(alice)).toEqual(before);
  });
}
