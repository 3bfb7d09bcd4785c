import type { BudgetLimits, ReservationRequest, Spend } from '../../src/execution/models/budget-store.port.js';
import type { RunRecord } from '../../src/execution/run-store.port.js';
import { DAY_MS, USAGE_DAYS } from '../../src/execution/usage-store.port.js';
import { newId, type UserId } from '../../src/shared/ids.js';
import { okStep, recorded, suspended } from './step-drafts.js';
import { alice, bob, onEmptyStorage, ROOMY, T0, upTo, type OpenStorage } from './storage-world.js';

const NOTHING: Spend = { tokens: 0, microUsd: 0 };
const spend = (tokens: number, microUsd = 0): Spend => ({ tokens, microUsd });
const UNUSED = { spent: NOTHING, reserved: NOTHING };

/** What every adapter of `BudgetStore` has to keep. */
export function budgetStoreContract(openStorage: OpenStorage): void {
  describe('reserve', () => reserveContract(openStorage));
  describe('settle', () => settleContract(openStorage));
  describe('days and months', () => periodContract(openStorage));
  describe('what a process left behind', () => abandonedContract(openStorage));
}

/** Short ways to reserve and to settle. */
function ways(openStorage: OpenStorage) {
  const world = onEmptyStorage(openStorage);
  const budgets = () => world().ports.budgets;
  const running = (userId: UserId) => world().running(userId);
  const reserve = ({ userId, id }: RunRecord, over: Partial<ReservationRequest> = {}) =>
    budgets().reserve(userId, { key: 'a#1', runId: id, estimate: spend(10), limits: {}, atMs: T0, ...over });
  const settle = ({ userId, id }: RunRecord, actual?: Spend, key = 'a#1') => budgets().settle(userId, id, key, actual);
  const spent = async (run: RunRecord, actual: Spend, over: Partial<ReservationRequest> = {}) => {
    expect(await reserve(run, { estimate: actual, ...over })).toBeUndefined();
    return settle(run, actual, over.key);
  };
  return { world, budgets, running, reserve, settle, spent };
}

function reserveContract(openStorage: OpenStorage): void {
  const { world, budgets, running, reserve, settle, spent } = ways(openStorage);

  it('reserves without a limit, and shows it in the day and the month', async () => {
    expect(await budgets().used(alice, T0)).toEqual({ day: UNUSED, month: UNUSED });
    expect(await reserve(await running(alice), { estimate: spend(10, 7) })).toBeUndefined();
    const used = { spent: NOTHING, reserved: spend(10, 7) };
    expect(await budgets().used(alice, T0)).toEqual({ day: used, month: used });
  });

  it.each(['run', 'day', 'month'] as const)(
    'refuses what would pass the limit of the %s, in either unit',
    async (scope) => {
      const run = await running(alice);
      await spent(run, spend(60, 600));
      await reserve(run, { key: 'b#1', estimate: spend(30, 300) });
      const tokens: BudgetLimits = { [scope]: { tokens: 100 } };
      expect(await reserve(run, { key: 'c#1', estimate: spend(11), limits: tokens })).toEqual({
        scope,
        unit: 'tokens',
        limit: 100,
        used: 90,
      });
      const money: BudgetLimits = { [scope]: { microUsd: 1_000 } };
      expect(await reserve(run, { key: 'c#1', estimate: spend(11, 101), limits: money })).toEqual({
        scope,
        unit: 'microUsd',
        limit: 1_000,
        used: 900,
      });
      expect(await budgets().used(alice, T0)).toMatchObject({ day: { reserved: spend(30, 300) } });
      const both: BudgetLimits = { [scope]: { tokens: 100, microUsd: 1_000 } };
      expect(await reserve(run, { key: 'c#1', estimate: spend(10, 100), limits: both })).toBeUndefined();
      expect(await reserve(run, { key: 'd#1', estimate: spend(1), limits: both })).toMatchObject({ used: 100 });
    },
  );

  it('counts a run’s calls against its run only, and those of all its runs against the user’s day', async () => {
    const [first, second] = [await running(alice), await running(alice)];
    await spent(first, spend(80));
    expect(await reserve(second, { estimate: spend(80), limits: { run: { tokens: 100 } } })).toBeUndefined();
    const limits: BudgetLimits = { day: { tokens: 200 } };
    expect(await reserve(first, { key: 'b#1', estimate: spend(41), limits })).toMatchObject({
      scope: 'day',
      used: 160,
    });
  });

  it("never counts alice's spending against bob", async () => {
    const hers = await running(alice);
    await spent(hers, spend(1_000, 1_000));
    await reserve(hers, { key: 'b#1', estimate: spend(1_000) });
    const limits: BudgetLimits = { run: { tokens: 10 }, day: { tokens: 10 }, month: { tokens: 10 } };
    const his = await running(bob);
    expect(await reserve(his, { limits })).toBeUndefined();
    expect(await budgets().used(bob, T0)).toMatchObject({ month: { spent: NOTHING, reserved: spend(10) } });
  });

  it('lets no more of fifty calls at once through than fit', async () => {
    const runs = [await running(alice), await running(alice), await running(alice)];
    const limits: BudgetLimits = { day: { tokens: 100 } };
    const answers = await Promise.all(
      upTo(50).map((i) => reserve(runs[i % 3]!, { key: `call#${i}`, estimate: spend(9), limits })),
    );
    expect(answers.filter((excess) => excess === undefined)).toHaveLength(11);
    expect((await budgets().used(alice, T0)).day.reserved).toEqual(spend(99));
  });

  it('makes a reservation that is asked for twice once, as it was first made', async () => {
    const run = await running(alice);
    const limits: BudgetLimits = { day: { tokens: 10 } };
    expect(await reserve(run, { limits })).toBeUndefined();
    expect(await reserve(run, { limits, estimate: spend(99) })).toBeUndefined();
    expect((await budgets().used(alice, T0)).day.reserved).toEqual(spend(10));
    await settle(run);
    expect((await budgets().used(alice, T0)).day).toEqual({ spent: spend(10), reserved: NOTHING });
  });

  it('takes no call of a run that is not under way, or is somebody else’s', async () => {
    const run = await running(alice);
    await expect(reserve({ ...run, userId: bob })).rejects.toMatchObject({ code: 'run_closed' });
    await expect(reserve({ ...run, id: newId('run') })).rejects.toMatchObject({ code: 'run_closed' });
    const asleep = await running(alice);
    const wait = { approvals: [], untilMs: T0 + 1 };
    await world().ports.runs.suspend(alice, asleep.id, asleep.fence, wait, [suspended()], ROOMY);
    await expect(reserve(asleep)).rejects.toMatchObject({ code: 'run_closed' });
    await world().end(run);
    await expect(reserve(run)).rejects.toMatchObject({ code: 'run_closed' });
    expect(await budgets().used(alice, T0)).toEqual({ day: UNUSED, month: UNUSED });
  });
}

function settleContract(openStorage: OpenStorage): void {
  const { world, budgets, running, reserve, settle, spent } = ways(openStorage);

  it('puts what the call has cost in the place of the reservation, once', async () => {
    const run = await running(alice);
    await spent(run, spend(5, 1), { key: 'first#1' });
    await reserve(run, { estimate: spend(100, 1_000) });
    const now = spend(35, 301);
    expect(await settle(run, spend(30, 300))).toEqual({ run: now, day: now, month: now });
    expect(await settle(run, spend(30, 300))).toBeUndefined();
    const used = { spent: now, reserved: NOTHING };
    expect(await budgets().used(alice, T0)).toEqual({ day: used, month: used });
  });

  it('tells run, day and month apart', async () => {
    const [first, second] = [await running(alice), await running(alice)];
    await spent(first, spend(1));
    await spent(first, spend(2), { key: 'b#1', atMs: T0 + DAY_MS });
    expect(await spent(second, spend(4), { atMs: T0 + DAY_MS })).toEqual({
      run: spend(4),
      day: spend(6),
      month: spend(7),
    });
  });

  it('counts the estimate when nobody knows what it has cost', async () => {
    const run = await running(alice);
    await reserve(run, { estimate: spend(10, 70) });
    expect(await settle(run)).toMatchObject({ day: spend(10, 70) });
  });

  it('gives back what was not spent, so that it can be reserved again', async () => {
    const run = await running(alice);
    const limits: BudgetLimits = { run: { tokens: 10 } };
    await reserve(run, { limits });
    expect(await reserve(run, { key: 'b#1', limits })).toMatchObject({ used: 10 });
    await settle(run, NOTHING);
    expect(await reserve(run, { key: 'b#1', limits })).toBeUndefined();
  });

  it('counts also when the run has ended, and when it is deleted', async () => {
    const run = await running(alice);
    for (const key of ['a#1', 'b#1']) await reserve(run, { key });
    await world().end(run);
    expect(await settle(run, spend(3))).toEqual({ run: spend(3), day: spend(3), month: spend(3) });
    expect(await world().ports.threads.delete(alice, run.threadId)).toBe(true);
    expect(await settle(run, spend(4), 'b#1')).toMatchObject({ day: spend(7), month: spend(7) });
    expect((await budgets().used(alice, T0)).day).toEqual({ spent: spend(7), reserved: NOTHING });
  });

  it("does not let bob settle alice's", async () => {
    const run = await running(alice);
    await running(bob);
    await reserve(run);
    expect(await settle({ ...run, userId: bob }, NOTHING)).toBeUndefined();
    expect(await settle({ ...run, userId: 'nobody' as UserId }, NOTHING)).toBeUndefined();
    expect((await budgets().used(alice, T0)).day.reserved).toEqual(spend(10));
  });

  it('keeps the days, but not what single runs have spent, when steps are too old', async () => {
    const run = await running(alice);
    await world().ports.journal.append(alice, run.id, run.fence, [recorded(okStep('a'))]);
    await spent(run, spend(9));
    await reserve(run, { key: 'b#1' });
    await world().end(run);
    await world().ports.journal.prune(new Date(T0 + 1), 100);
    expect(await settle(run, spend(1), 'b#1')).toEqual({ run: spend(1), day: spend(10), month: spend(10) });
  });
}

function periodContract(openStorage: OpenStorage): void {
  const { budgets, running, reserve, settle, spent } = ways(openStorage);
  const usedAt = async (iso: string) => {
    const { day, month } = await budgets().used(alice, Date.parse(iso));
    return [day.spent.tokens, month.spent.tokens];
  };

  it('begins days and months at midnight UTC', async () => {
    const run = await running(alice);
    const moments = [
      '2026-01-31T23:59:59.999Z',
      '2026-02-01T00:00:00.000Z',
      '2026-02-28T23:59:59.999Z',
      '2026-03-01T00:00:00Z',
    ];
    for (const [i, at] of moments.entries())
      await spent(run, spend(10 ** i), { key: `call#${i}`, atMs: Date.parse(at) });
    expect(await usedAt('2026-01-01T00:00:00Z')).toEqual([0, 1]);
    expect(await usedAt('2026-01-31T00:00:00Z')).toEqual([1, 1]);
    expect(await usedAt('2026-02-01T23:59:59.999Z')).toEqual([10, 110]);
    expect(await usedAt('2026-02-15T12:00:00Z')).toEqual([0, 110]);
    expect(await usedAt('2026-03-31T12:00:00Z')).toEqual([0, 1_000]);
    const limits: BudgetLimits = { month: { tokens: 110 } };
    const inFebruary = { key: 'feb#1', estimate: spend(1), limits, atMs: Date.parse('2026-02-10T00:00:00Z') };
    expect(await reserve(run, inFebruary)).toMatchObject({ scope: 'month', used: 110 });
    expect(await reserve(run, { ...inFebruary, atMs: Date.parse('2026-04-01T00:00:00Z') })).toBeUndefined();
  });

  it('counts a call for the day and month in which it was reserved, whenever it ends', async () => {
    const run = await running(alice);
    await reserve(run, { atMs: Date.parse('2026-01-31T23:59:59Z') });
    expect(await settle(run, spend(8))).toMatchObject({ month: spend(8) });
    expect(await usedAt('2026-01-31T00:00:00Z')).toEqual([8, 8]);
    expect(await usedAt('2026-02-01T00:00:00Z')).toEqual([0, 0]);
  });

  it("removes a user's days that are too old when a new one begins, and nobody else's", async () => {
    const [hers, his] = [await running(alice), await running(bob)];
    await spent(hers, spend(1));
    await spent(his, spend(2));
    await spent(hers, spend(4), { key: 'b#1', atMs: T0 + (USAGE_DAYS - 1) * DAY_MS });
    expect((await budgets().used(alice, T0)).day.spent).toEqual(spend(1));
    await spent(hers, spend(8), { key: 'c#1', atMs: T0 + USAGE_DAYS * DAY_MS });
    expect((await budgets().used(alice, T0)).day.spent).toEqual(NOTHING);
    expect((await budgets().used(bob, T0)).day.spent).toEqual(spend(2));
  });
}

function abandonedContract(openStorage: OpenStorage): void {
  const { budgets, running, reserve, settle } = ways(openStorage);

  it('counts it as spent, all users’, by the days in which it was reserved', async () => {
    const [hers, his] = [await running(alice), await running(bob)];
    await reserve(hers, { estimate: spend(10, 1) });
    await reserve(hers, { key: 'b#1', estimate: spend(20, 2), atMs: T0 + DAY_MS });
    await reserve(his, { estimate: spend(40, 4) });
    expect(await budgets().settleAbandoned(T0)).toBe(0);
    expect(await budgets().settleAbandoned(T0 + 1)).toBe(2);
    expect(await budgets().used(alice, T0)).toEqual({
      day: { spent: spend(10, 1), reserved: NOTHING },
      month: { spent: spend(10, 1), reserved: spend(20, 2) },
    });
    expect((await budgets().used(bob, T0)).day).toEqual({ spent: spend(40, 4), reserved: NOTHING });
    expect(await budgets().settleAbandoned(T0 + DAY_MS + 1)).toBe(1);
    expect(await settle(hers, NOTHING)).toBeUndefined();
  });

  it('does so for any number of them', async () => {
    const run = await running(alice);
    await Promise.all(upTo(1_200).map((i) => reserve(run, { key: `call#${i}`, estimate: spend(1) })));
    expect(await budgets().settleAbandoned(T0 + 1)).toBe(1_200);
    expect((await budgets().used(alice, T0)).day).toEqual({ spent: spend(1_200), reserved: NOTHING });
  });
}
