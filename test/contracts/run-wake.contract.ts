import { draftEvent } from '../../src/events/run-event.js';
import type { LaneLimits } from '../../src/execution/lane.js';
import type { RunId, UserId } from '../../src/shared/ids.js';
import { APPROVED, asking, question, suspended } from './step-drafts.js';
import { alice, bob, newRun, onEmptyStorage, opening, ROOMY, T0, upTo, type OpenStorage } from './storage-world.js';

const ONE: LaneLimits = { ...ROOMY, maxRunning: 1 };

/** The part of `RunStore` that lets runs go on for which the time has come. */
export function runWakeContract(openStorage: OpenStorage): void {
  const world = onEmptyStorage(openStorage);

  async function sleeping(userId: UserId, untilMs: number, limits = ROOMY) {
    const run = await world().running(userId, {}, limits);
    const { runs } = world().ports;
    await runs.suspend(userId, run.id, run.fence, { approvals: [], untilMs }, [suspended()], limits);
    return run;
  }

  async function waitingFor(userId: UserId, expiresAtMs: number, limits = ROOMY) {
    const run = await world().running(userId, {}, limits);
    const approval = question({ expiresAtMs });
    const events = [asking(approval), suspended()];
    const { runs } = world().ports;
    await runs.suspend(userId, run.id, run.fence, { approvals: [approval.id] }, events, limits);
    return { run, approval };
  }

  it('knows when the next thing is due', async () => {
    const { runs } = world().ports;
    expect(await runs.nextDueMs()).toBeUndefined();
    await waitingFor(alice, T0 + 900);
    expect(await runs.nextDueMs()).toBe(T0 + 900);
    await sleeping(bob, T0 + 500);
    expect(await runs.nextDueMs()).toBe(T0 + 500);
    await runs.submit(alice, newRun({ notBeforeMs: T0 + 300 }), ROOMY);
    expect(await runs.nextDueMs()).toBe(T0 + 300);
    await runs.wake(T0 + 300, 9, ROOMY);
    expect(await runs.nextDueMs()).toBe(T0 + 500);
    await runs.wake(T0 + 900, 9, ROOMY);
    expect(await runs.nextDueMs()).toBeUndefined();
  });

  it('wakes nobody before the time', async () => {
    const { runs } = world().ports;
    await sleeping(alice, T0 + 500);
    await waitingFor(bob, T0 + 500);
    expect(await runs.wake(T0 + 499, 9, ROOMY)).toEqual({ admitted: [], answered: [], more: false });
    expect(await runs.lane(alice)).toMatchObject({ suspended: 1 });
  });

  it('brings a run back whose sleep is over, to be claimed without a new attempt', async () => {
    const { clock, ports } = world();
    const run = await sleeping(alice, T0 + 500);
    clock.advance(600);
    const ref = { userId: alice, runId: run.id };
    expect(await ports.runs.wake(T0 + 600, 9, ROOMY)).toEqual({ admitted: [ref], answered: [], more: false });
    expect(await ports.runs.lane(alice)).toMatchObject({ running: 1, queued: 0, suspended: 0 });
    expect(await ports.runs.unfinished(undefined, 9)).toEqual([{ ...ref, status: 'queued', fence: run.fence }]);
    const resumedEvent = draftEvent('agent_resumed', { attempt: 1 }, { attempt: 1, atMs: T0 });
    const claimed = await ports.runs.claim(alice, run.id, () => resumedEvent);
    const record = { ...run, status: 'running', fence: run.fence + 1, suspendedMs: 600 };
    expect(claimed).toMatchObject({ ...record, resumed: true });
    expect(await ports.runs.find(alice, run.id)).toEqual(record);
    const events = await world().events(alice, run.id);
    expect(events.map(({ runSeq, type }) => [runSeq, type])).toEqual([
      [1, 'agent_started'],
      [2, 'agent_suspended'],
      [3, 'agent_resumed'],
    ]);
  });

  it('sums the suspensions of a run, and takes one that is interrupted after its return for a new attempt', async () => {
    const { clock, ports } = world();
    const run = await sleeping(alice, T0 + 100);
    clock.advance(100);
    await ports.runs.wake(clock.now(), 9, ROOMY);
    const second = (await ports.runs.claim(alice, run.id, opening))!;
    clock.advance(50);
    const untilMs = clock.now() + 30;
    await ports.runs.suspend(alice, run.id, second.fence, { approvals: [], untilMs }, [suspended()], ROOMY);
    clock.advance(30);
    await ports.runs.wake(clock.now(), 9, ROOMY);
    const third = (await ports.runs.claim(alice, run.id, opening))!;
    expect(third).toMatchObject({ suspendedMs: 130, attempt: 1, resumed: true });
    const saved = (await ports.runs.takeOver(alice, run.id, third.fence))!;
    await ports.runs.requeue(alice, run.id, saved.fence);
    expect(await ports.runs.claim(alice, run.id, opening)).toMatchObject({
      attempt: 2,
      resumed: false,
      suspendedMs: 130,
    });
  });

  it('lets a woken run wait for a place when its lane is full, in its old turn, and refuses it for no limit', async () => {
    const { runs } = world().ports;
    const limits: LaneLimits = { ...ONE, maxQueued: 1 };
    const run = await sleeping(alice, T0 + 500, limits);
    const running = await world().running(alice, {}, limits);
    const { run: waits } = await runs.submit(alice, newRun(), limits);
    expect(await runs.wake(T0 + 500, 9, limits)).toMatchObject({ admitted: [] });
    expect(await runs.lane(alice)).toMatchObject({ running: 1, queued: 2, suspended: 0 });
    expect((await runs.waiting(alice, 9)).map(({ id }) => id)).toEqual([run.id, waits.id]);
    expect(await world().end(running, 'completed', limits)).toEqual({ admitted: [{ userId: alice, runId: run.id }] });
  });

  it('closes a question that has expired, gives its step that answer, and brings the run back', async () => {
    const { runs, approvals } = world().ports;
    const { run, approval } = await waitingFor(alice, T0 + 500);
    expect(await runs.wake(T0 + 700, 9, ROOMY)).toMatchObject({ admitted: [{ userId: alice, runId: run.id }] });
    expect(await runs.steps(alice, run.id)).toMatchObject([
      {
        path: 'ask-1',
        state: 'ok',
        result: { decision: 'expired' },
        endedAtMs: T0 + 700,
        approval: { id: approval.id },
      },
    ]);
    const last = (await world().events(alice)).at(-1);
    expect(last).toMatchObject({
      type: 'approval_resolved',
      step: 'ask-1',
      data: { approvalId: approval.id, decision: 'expired' },
    });
    const decider = { userId: alice, roles: [] };
    expect(await approvals.find(decider, approval.id)).toMatchObject({ decision: 'expired', decidedAtMs: T0 + 700 });
    expect(await approvals.decide(decider, approval.id, APPROVED, ROOMY)).toMatchObject({ outcome: 'closed' });
  });

  it('names runs whose question has expired while they run', async () => {
    const { runs, journal } = world().ports;
    const run = await world().running(alice);
    await journal.append(alice, run.id, run.fence, [asking(question({ expiresAtMs: T0 + 500 }))]);
    const woken = await runs.wake(T0 + 500, 9, ROOMY);
    expect(woken).toEqual({ admitted: [], answered: [{ userId: alice, runId: run.id }], more: false });
    expect(await runs.find(alice, run.id)).toEqual(run);
  });

  it('works in batches, the oldest first, over all users, and says when there may be more', async () => {
    const { runs } = world().ports;
    const order: RunId[] = [];
    for (const i of upTo(4)) order.push((await sleeping(i % 2 === 0 ? bob : alice, T0 + i)).id);
    order.push((await waitingFor(alice, T0 + 3)).run.id, (await waitingFor(bob, T0 + 4)).run.id);
    const woken: RunId[] = [];
    for (;;) {
      const { admitted, more } = await runs.wake(T0 + 10, 2, ROOMY);
      expect(admitted.length).toBeLessThanOrEqual(2);
      woken.push(...admitted.map(({ runId }) => runId));
      if (!more) break;
    }
    expect(woken).toEqual(order);
  });
}
