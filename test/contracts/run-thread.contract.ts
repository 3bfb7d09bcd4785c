import type { LaneLimits } from '../../src/execution/lane.js';
import type { NewRun } from '../../src/execution/run-store.port.js';
import type { ThreadId, UserId } from '../../src/shared/ids.js';
import { asking, question, suspended } from './step-drafts.js';
import { alice, bob, closing, newRun, onEmptyStorage, opening, ROOMY, T0, type OpenStorage } from './storage-world.js';

const threadId = 'thread-1' as ThreadId;
const SLEEP = { approvals: [], untilMs: T0 + 5_000 };

/** The part of `RunStore` that keeps the runs of one thread from mixing. */
export function runThreadContract(openStorage: OpenStorage): void {
  describe('in their order', () => orderContract(openStorage));
  describe('when one comes in between', () => conflictContract(openStorage));
}

function orderContract(openStorage: OpenStorage): void {
  const world = onEmptyStorage(openStorage);
  const submit = (userId: UserId, over: Partial<NewRun> = {}, limits = ROOMY) =>
    world().ports.runs.submit(userId, newRun({ threadId, ...over }), limits);

  it('holds a later run of a thread until those before it have ended, and tells it so', async () => {
    const { runs } = world().ports;
    const first = await world().running(alice, { threadId });
    const second = await submit(alice, { opening });
    const third = await submit(alice);
    expect(second).toMatchObject({ admitted: false, claimed: false, run: { status: 'queued', heldBy: 'thread' } });
    expect(await runs.find(alice, second.run.id)).toEqual(second.run);
    expect((await world().events(alice)).slice(1)).toMatchObject([
      { type: 'agent_queued', runId: second.run.id, data: { position: 1, reason: 'thread_busy' } },
      { type: 'agent_queued', runId: third.run.id, data: { position: 2, reason: 'thread_busy' } },
    ]);
    expect(await runs.lane(alice)).toMatchObject({ running: 1, queued: 2 });
    expect(await runs.claim(alice, second.run.id, opening)).toBeUndefined();

    expect(await world().end(first)).toEqual({ admitted: [{ userId: alice, runId: second.run.id }] });
    expect(await runs.find(alice, second.run.id)).not.toHaveProperty('heldBy');
    expect(await runs.lane(alice)).toMatchObject({ running: 1, queued: 1 });
    const running = (await runs.claim(alice, second.run.id, opening))!;
    expect(await world().end(running, 'failed')).toEqual({ admitted: [{ userId: alice, runId: third.run.id }] });
  });

  it('lets other threads, and other users, pass', async () => {
    await world().running(alice, { threadId });
    await submit(alice);
    expect(await submit(alice, { threadId: 'other' as ThreadId })).toMatchObject({ admitted: true });
    expect(await submit(bob)).toMatchObject({ admitted: true });
  });

  it('lets a run that is no longer held wait for its place like others', async () => {
    const { runs } = world().ports;
    const limits: LaneLimits = { ...ROOMY, maxRunning: 2 };
    const first = await world().running(alice, { threadId }, limits);
    const second = await submit(alice, {}, limits);
    const other = await world().running(alice, {}, limits);
    const waits = await runs.submit(alice, newRun(), limits);
    expect((await runs.waiting(alice, 9)).map(({ id }) => id)).toEqual([waits.run.id, second.run.id]);
    await world().end(first, 'completed', { ...limits, maxRunning: 1 });
    expect((await runs.waiting(alice, 9)).map(({ id }) => id)).toEqual([second.run.id, waits.run.id]);
    const { admitted } = await world().end(other, 'completed', { ...limits, maxRunning: 1 });
    expect(admitted).toEqual([{ userId: alice, runId: second.run.id }]);
  });

  it('counts held runs among those that wait', async () => {
    const limits: LaneLimits = { ...ROOMY, maxQueued: 1 };
    await world().running(alice, { threadId }, limits);
    await submit(alice, {}, limits);
    await expect(submit(alice, {}, limits)).rejects.toMatchObject({ code: 'queue_full' });
    expect(await submit(alice, { threadId: 'other' as ThreadId }, limits)).toMatchObject({ admitted: true });
  });

  it('keeps the turn of a run that is suspended, and of one that is put back', async () => {
    const { runs } = world().ports;
    const first = await world().running(alice, { threadId });
    const second = await submit(alice);
    expect(await runs.suspend(alice, first.id, first.fence, SLEEP, [suspended()], ROOMY)).toMatchObject({
      admitted: [],
    });
    expect(await submit(alice)).toMatchObject({ admitted: false, run: { heldBy: 'thread' } });
    await runs.wake(T0 + 5_000, 9, ROOMY);
    const again = (await runs.claim(alice, first.id, opening))!;
    await runs.requeue(alice, first.id, again.fence);
    expect(await runs.find(alice, second.run.id)).toMatchObject({ heldBy: 'thread' });
    const { admitted } = await runs
      .requestCancel(alice, first.id, alice, () => closing(), ROOMY)
      .then((request) => {
        if (request.outcome !== 'cancelled') throw new Error(request.outcome);
        return request;
      });
    expect(admitted).toEqual([{ userId: alice, runId: second.run.id }]);
  });

  it('closes up when a held run is cancelled', async () => {
    const { runs } = world().ports;
    const first = await world().running(alice, { threadId });
    const [second, third] = [await submit(alice), await submit(alice)];
    const request = await runs.requestCancel(alice, second.run.id, alice, () => closing(), ROOMY);
    expect(request).toMatchObject({ outcome: 'cancelled', admitted: [], run: { status: 'cancelled' } });
    expect(await runs.find(alice, second.run.id)).toEqual('run' in request && request.run);
    expect(await runs.lane(alice)).toMatchObject({ running: 1, queued: 1 });
    expect(await world().end(first)).toEqual({ admitted: [{ userId: alice, runId: third.run.id }] });
  });

  it('goes by arrival, whatever the ids', async () => {
    const { runs } = world().ports;
    const late = newRun({ threadId });
    const first = await world().running(alice, { threadId });
    expect(late.id < first.id).toBe(true);
    const second = await runs.submit(alice, late, ROOMY);
    expect(second.admitted).toBe(false);
    expect(await world().end(first)).toEqual({ admitted: [{ userId: alice, runId: late.id }] });
  });
}

function conflictContract(openStorage: OpenStorage): void {
  const world = onEmptyStorage(openStorage);
  const submit = (over: Partial<NewRun> = {}, limits = ROOMY, userId = alice) =>
    world().ports.runs.submit(userId, newRun({ threadId, ...over }), limits);
  const reject = { onConflict: 'reject' } as const;
  const interrupt = { onConflict: 'interrupt' } as const;

  it('rejects a run whose thread is busy when asked to, names the busy one, and stores nothing', async () => {
    const { runs } = world().ports;
    expect(await submit(reject)).toMatchObject({ admitted: true });
    const [first] = (await runs.list(alice, {}, { limit: 9 })).items;
    const before = await runs.lane(alice);
    const refused = submit(reject);
    await expect(refused).rejects.toMatchObject({ code: 'thread_busy', details: { runId: first!.id } });
    await expect(refused).rejects.toThrow(first!.id);
    expect(await runs.lane(alice)).toEqual(before);
    expect(await submit(reject, ROOMY, bob)).toMatchObject({ admitted: true });
    await runs.requestCancel(alice, first!.id, alice, () => closing(), ROOMY);
    expect(await submit(reject)).toMatchObject({ admitted: true });
  });

  it('answers a repetition of a request before it looks at the thread', async () => {
    const idempotency = { key: 'k', fingerprint: 'f' };
    await submit({ ...reject, idempotency });
    expect(await submit({ ...reject, idempotency })).toMatchObject({ replayed: true });
  });

  it('tells a running run to end, and holds the new one until it has', async () => {
    const { runs } = world().ports;
    const first = await world().running(alice, { threadId });
    const second = await submit(interrupt);
    expect(second).toMatchObject({ admitted: false, interrupted: [{ userId: alice, runId: first.id }] });
    expect(second.run).toMatchObject({ heldBy: 'thread' });
    expect(await runs.find(alice, first.id)).toEqual({ ...first, cancelRequestedBy: alice });
    expect(await world().end(first, 'cancelled')).toEqual({ admitted: [{ userId: alice, runId: second.run.id }] });
  });

  it('ends waiting and held runs of the thread at once, and goes before nobody else', async () => {
    const { runs } = world().ports;
    const limits: LaneLimits = { ...ROOMY, maxRunning: 1 };
    const other = await world().running(alice, {}, limits);
    const [first, second] = [await submit({}, limits), await submit({}, limits)];
    const passes = await runs.submit(alice, newRun(), limits);
    const third = await submit(interrupt, limits);
    expect(third).toMatchObject({ admitted: false, interrupted: [], admittedBeside: [] });
    expect(third.run).not.toHaveProperty('heldBy');
    for (const { run } of [first, second]) {
      expect(await runs.find(alice, run.id)).toMatchObject({ status: 'cancelled', cancelRequestedBy: alice });
      const last = (await world().events(alice, run.id)).at(-1);
      expect(last).toMatchObject({ type: 'agent_cancelled', data: { by: alice, forced: false, durationMs: 0 } });
    }
    expect(await runs.lane(alice)).toMatchObject({ running: 1, queued: 2 });
    expect(await world().end(other, 'completed', limits)).toEqual({
      admitted: [{ userId: alice, runId: passes.run.id }],
    });
  });

  it('takes the very place of an admitted run that it ends', async () => {
    const { runs } = world().ports;
    const limits: LaneLimits = { ...ROOMY, maxRunning: 1, maxQueued: 1 };
    const { run: first } = await submit({}, limits);
    const { run: waits } = await runs.submit(alice, newRun(), limits);
    const second = await submit({ ...interrupt, opening }, limits);
    expect(second).toMatchObject({ admitted: true, claimed: true, admittedBeside: [], run: { status: 'running' } });
    expect(await runs.find(alice, first.id)).toMatchObject({ status: 'cancelled' });
    expect(await runs.lane(alice)).toMatchObject({ running: 1, queued: 1 });
    expect((await runs.waiting(alice, 9)).map(({ id }) => id)).toEqual([waits.id]);
  });

  it('gives the place of an admitted run to the next when the new one may not take it', async () => {
    const { runs } = world().ports;
    const limits: LaneLimits = { ...ROOMY, maxRunning: 1 };
    await submit({}, limits);
    const { run: waits } = await runs.submit(alice, newRun(), limits);
    const later = await submit({ ...interrupt, notBeforeMs: T0 + 1_000 }, limits);
    expect(later).toMatchObject({ admitted: false, admittedBeside: [{ userId: alice, runId: waits.id }] });
  });

  it('ends a suspended run of the thread, with its questions', async () => {
    const { runs, approvals } = world().ports;
    const first = await world().running(alice, { threadId });
    const approval = question();
    const events = [asking(approval), suspended()];
    await runs.suspend(alice, first.id, first.fence, { approvals: [approval.id] }, events, ROOMY);
    expect(await submit(interrupt)).toMatchObject({ admitted: true, interrupted: [] });
    expect(await runs.find(alice, first.id)).toMatchObject({ status: 'cancelled' });
    expect((await world().types(alice, first.id)).slice(-2)).toEqual(['approval_resolved', 'agent_cancelled']);
    expect(await approvals.find({ userId: alice, roles: [] }, approval.id)).toMatchObject({ decision: 'withdrawn' });
    expect(await runs.lane(alice)).toMatchObject({ running: 1, suspended: 0 });
  });

  it('ends nothing when the new run is refused', async () => {
    const { runs } = world().ports;
    const { run: first } = await submit();
    const before = await runs.lane(alice);
    const none: LaneLimits = { ...ROOMY, startsPerMinute: 1 };
    await expect(submit(interrupt, none)).rejects.toMatchObject({ code: 'rate_limited' });
    expect(await runs.find(alice, first.id)).toEqual(first);
    expect(await runs.lane(alice)).toEqual(before);
  });

  it("leaves bob's thread of the same id alone", async () => {
    const { runs } = world().ports;
    const his = await world().running(bob, { threadId });
    const { run: waits } = await submit({}, ROOMY, bob);
    await submit(interrupt);
    expect(await runs.find(bob, his.id)).toEqual(his);
    expect(await runs.find(bob, waits.id)).toEqual(waits);
  });
}
