import type { LaneLimits } from '../../src/execution/lane.js';
import type { Submitted } from '../../src/execution/run-store.port.js';
import type { UserId } from '../../src/shared/ids.js';
import { alice, bob, closing, newRun, onEmptyStorage, opening, ROOMY, T0, type OpenStorage } from './storage-world.js';

const MINUTE_MS = 60_000;

/** The part of `RunStore` that shares out places: at most K of a user's runs are admitted, at most Q wait. */
export function runLaneContract(openStorage: OpenStorage): void {
  const world = onEmptyStorage(openStorage);
  const limits: LaneLimits = { maxRunning: 2, maxQueued: 3, startsPerMinute: 1_000, maxSuspended: 3 };
  const submit = (userId: UserId, over = limits) => world().ports.runs.submit(userId, newRun(), over);

  it('admits K, lets Q wait with their position, and refuses the next', async () => {
    const { runs } = world().ports;
    const all: Submitted[] = [];
    for (let i = 0; i < 5; i++) all.push(await submit(alice));
    expect(all.map(({ admitted }) => admitted)).toEqual([true, true, false, false, false]);
    expect(await world().events(alice)).toMatchObject(
      [1, 2, 3].map((position) => ({
        type: 'agent_queued',
        runId: all[position + 1]!.run.id,
        attempt: 0,
        data: { position, reason: 'user_limit' },
      })),
    );
    const refused = await submit(alice).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'queue_full' });
    expect((refused as { retryAfterMs: number }).retryAfterMs).toBeGreaterThan(0);
    expect((refused as { retryAfterMs: number }).retryAfterMs).toBeLessThanOrEqual(MINUTE_MS);
    expect(await runs.lane(alice)).toMatchObject({ running: 2, queued: 3, starts: 5 });
    expect((await runs.list(alice, {}, { limit: 50 })).items).toHaveLength(5);
    expect(await world().events(alice)).toHaveLength(3);
  });

  it("counts alice's runs for alice only", async () => {
    for (let i = 0; i < 5; i++) await submit(alice);
    expect(await submit(bob)).toMatchObject({ admitted: true });
    expect(await world().ports.runs.lane(bob)).toEqual({
      running: 1,
      queued: 0,
      suspended: 0,
      starts: 1,
      windowEndsAtMs: T0 + MINUTE_MS,
    });
    const nobody = await world().ports.runs.lane('nobody' as UserId);
    expect(nobody).toEqual({ running: 0, queued: 0, suspended: 0, starts: 0, windowEndsAtMs: 0 });
  });

  it('keeps to K and Q when all come at once', async () => {
    const all = await Promise.allSettled(Array.from({ length: 20 }, () => submit(alice)));
    expect(all.filter((one) => one.status === 'fulfilled' && one.value.admitted)).toHaveLength(2);
    expect(all.filter((one) => one.status === 'fulfilled')).toHaveLength(5);
  });

  it('lists the waiting runs in the order in which they are admitted', async () => {
    const { runs } = world().ports;
    const running = [await world().running(alice, {}, limits), await world().running(alice, {}, limits)];
    const waiting = [(await submit(alice)).run, (await submit(alice)).run, (await submit(alice)).run];
    await submit(bob);
    expect(await runs.waiting(alice, 10)).toEqual(waiting);
    expect(await runs.waiting(alice, 2)).toEqual(waiting.slice(0, 2));
    expect(await runs.waiting(bob, 10)).toEqual([]);
    for (const [i, run] of running.entries()) {
      const { admitted } = await world().end(run, 'completed', limits);
      expect(admitted).toEqual([{ userId: alice, runId: waiting[i]!.id }]);
    }
    expect(await runs.waiting(alice, 10)).toEqual(waiting.slice(2));
    expect(await runs.lane(alice)).toMatchObject({ running: 2, queued: 1 });
  });

  it('admits a waiting run to be claimed only once a place is free', async () => {
    const { runs } = world().ports;
    const one: LaneLimits = { ...limits, maxRunning: 1 };
    const first = await world().running(alice, {}, one);
    const { run: second } = await submit(alice, one);
    expect(await runs.claim(alice, second.id, opening)).toBeUndefined();
    await world().end(first, 'failed', one);
    expect(await runs.claim(alice, second.id, opening)).toMatchObject({ status: 'running' });
  });

  it('admits several when the limit was raised, and none while it is lower than what runs', async () => {
    const first = await world().running(alice, {}, limits);
    const second = await world().running(alice, {}, limits);
    const waiting = [(await submit(alice)).run, (await submit(alice)).run, (await submit(alice)).run];
    expect(await world().end(first, 'completed', { ...limits, maxRunning: 1 })).toEqual({ admitted: [] });
    const { admitted } = await world().end(second, 'completed', { ...limits, maxRunning: 3 });
    expect(admitted.map(({ runId }) => runId)).toEqual(waiting.map(({ id }) => id));
    expect(await world().ports.runs.lane(alice)).toMatchObject({ running: 3, queued: 0 });
  });

  it('lets nobody overtake those who wait, though the limit was raised', async () => {
    for (let i = 0; i < 3; i++) await submit(alice);
    expect(await submit(alice, { ...limits, maxRunning: 10 })).toMatchObject({ admitted: false });
  });

  it('gives the place of a cancelled run to the next', async () => {
    const { runs } = world().ports;
    const cancel = (run: { id: Parameters<typeof runs.find>[1] }) =>
      runs.requestCancel(alice, run.id, 'alice', () => closing(), limits);
    const admitted = (await submit(alice)).run;
    await submit(alice);
    const [w1, w2, w3] = [(await submit(alice)).run, (await submit(alice)).run, (await submit(alice)).run];
    expect(await cancel(w1)).toMatchObject({ outcome: 'cancelled', admitted: [] });
    expect(await runs.lane(alice)).toMatchObject({ running: 2, queued: 2 });
    expect(await cancel(admitted)).toMatchObject({ outcome: 'cancelled', admitted: [{ userId: alice, runId: w2.id }] });
    expect(await runs.lane(alice)).toMatchObject({ running: 2, queued: 1 });
    expect((await runs.waiting(alice, 9)).map(({ id }) => id)).toEqual([w3.id]);
  });

  it('allows so many starts in a minute, and says when the next minute begins', async () => {
    const { clock, ports } = world();
    const few: LaneLimits = { ...ROOMY, startsPerMinute: 2 };
    await submit(alice, few);
    clock.advance(20_000);
    await submit(alice, few);
    await expect(submit(alice, few)).rejects.toMatchObject({ code: 'rate_limited', retryAfterMs: 40_000 });
    expect(await ports.runs.lane(alice)).toMatchObject({ starts: 2, windowEndsAtMs: T0 + MINUTE_MS });
    expect(await submit(bob, few)).toMatchObject({ admitted: true });
    clock.advance(39_999);
    await expect(submit(alice, few)).rejects.toMatchObject({ code: 'rate_limited', retryAfterMs: 1 });
    clock.advance(1);
    expect(await ports.runs.lane(alice)).toMatchObject({ starts: 0, windowEndsAtMs: 0 });
    await submit(alice, few);
    expect(await ports.runs.lane(alice)).toMatchObject({ starts: 1, windowEndsAtMs: T0 + 2 * MINUTE_MS });
  });

  it('refuses for the rate before it refuses for the queue, and counts no refused start', async () => {
    const tight: LaneLimits = { maxRunning: 1, maxQueued: 0, startsPerMinute: 2, maxSuspended: 0 };
    await submit(alice, tight);
    await expect(submit(alice, tight)).rejects.toMatchObject({ code: 'queue_full' });
    await expect(submit(alice, tight)).rejects.toMatchObject({ code: 'queue_full' });
    await submit(alice, { ...tight, maxQueued: 1 });
    await expect(submit(alice, tight)).rejects.toMatchObject({ code: 'rate_limited' });
  });

  it('stores nothing of a refused start', async () => {
    const { runs, threads, journal } = world().ports;
    const none: LaneLimits = { maxRunning: 0, maxQueued: 0, startsPerMinute: 10, maxSuspended: 0 };
    await expect(submit(alice, none)).rejects.toMatchObject({ code: 'queue_full' });
    await expect(submit(alice, { ...none, startsPerMinute: 0 })).rejects.toMatchObject({ code: 'rate_limited' });
    expect((await runs.list(alice, {}, { limit: 9 })).items).toEqual([]);
    expect((await threads.list(alice, { limit: 9 })).items).toEqual([]);
    expect(await journal.bounds(alice)).toEqual({ pruned: 0, last: 0 });
  });
}
