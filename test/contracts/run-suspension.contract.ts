import { draftEvent } from '../../src/events/run-event.js';
import type { LaneLimits } from '../../src/execution/lane.js';
import type { RunRecord, Suspension } from '../../src/execution/run-store.port.js';
import { newId, type RunId, type UserId } from '../../src/shared/ids.js';
import { APPROVED, asking, EXPIRES_AT_MS, okStep, question, recorded, stepRecord, suspended } from './step-drafts.js';
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
  thinking,
  upTo,
  type OpenStorage,
} from './storage-world.js';

const SLEEP: Suspension = { approvals: [], untilMs: T0 + 5_000 };
const ONE: LaneLimits = { ...ROOMY, maxRunning: 1 };

/** The part of `RunStore` that lets runs rest, and go on. */
export function runSuspensionContract(openStorage: OpenStorage): void {
  describe('suspend', () => suspendContract(openStorage));
  describe('wake', () => wakeContract(openStorage));
  describe('the end of a suspended run', () => suspendedEndContract(openStorage));
}

function suspendContract(openStorage: OpenStorage): void {
  const world = onEmptyStorage(openStorage);
  const suspend = (run: RunRecord, suspension = SLEEP, limits = ROOMY, events = [suspended()]) =>
    world().ports.runs.suspend(run.userId, run.id, run.fence, suspension, events, limits);

  it('lets a run rest: record, steps, events and place in one go', async () => {
    const { runs, journal } = world().ports;
    const run = await world().running(alice);
    await journal.append(alice, run.id, run.fence, [recorded(okStep('a')), recorded(stepRecord('b'))]);
    const events = [recorded(stepRecord('c', { kind: 'sleep', untilMs: T0 + 5_000 })), suspended()];
    expect(await suspend(run, SLEEP, ROOMY, events)).toEqual({ outcome: 'suspended', admitted: [] });
    expect(await runs.find(alice, run.id)).toEqual({ ...run, status: 'suspended' });
    expect((await runs.steps(alice, run.id)).map(({ path, state }) => [path, state])).toEqual([
      ['a', 'ok'],
      ['b', 'waiting'],
      ['c', 'waiting'],
    ]);
    expect((await world().types(alice, run.id)).slice(-2)).toEqual(['step_started', 'agent_suspended']);
    expect(await runs.lane(alice)).toMatchObject({ running: 0, queued: 0, suspended: 1 });
    expect(await runs.unfinished(undefined, 9)).toEqual([]);
    expect((await runs.list(alice, { status: 'suspended' }, { limit: 9 })).items).toHaveLength(1);
  });

  it('gives its place to who waits next', async () => {
    const { runs } = world().ports;
    const run = await world().running(alice, {}, ONE);
    const { run: next } = await runs.submit(alice, newRun(), ONE);
    expect(await suspend(run, SLEEP, ONE)).toMatchObject({ admitted: [{ userId: alice, runId: next.id }] });
    expect(await runs.lane(alice)).toMatchObject({ running: 1, queued: 0, suspended: 1 });
    expect(await runs.claim(alice, next.id, opening)).toBeDefined();
  });

  it('lets nobody write to a run that rests', async () => {
    const { runs, journal } = world().ports;
    const run = await world().running(alice);
    await suspend(run);
    const closed = { code: 'run_closed' };
    await expect(journal.append(alice, run.id, run.fence, [thinking('late')])).rejects.toMatchObject(closed);
    await expect(world().end(run)).rejects.toMatchObject(closed);
    await expect(suspend(run)).rejects.toMatchObject(closed);
    await expect(runs.requeue(alice, run.id, run.fence)).rejects.toMatchObject(closed);
    expect(await runs.claim(alice, run.id, opening)).toBeUndefined();
    expect(await runs.takeOver(alice, run.id)).toBeUndefined();
  });

  it('is refused for another fence, another user, and events that do not end with it', async () => {
    const { runs } = world().ports;
    const run = await world().running(alice);
    const closed = { code: 'run_closed' };
    await expect(suspend({ ...run, fence: run.fence + 1 })).rejects.toMatchObject(closed);
    await expect(suspend({ ...run, userId: bob })).rejects.toMatchObject(closed);
    for (const events of [[], [thinking('x')], [suspended(), thinking('x')], [terminalDraft('failed'), suspended()]]) {
      await expect(suspend(run, SLEEP, ROOMY, events)).rejects.toMatchObject({ code: 'internal' });
    }
    expect(await runs.find(alice, run.id)).toEqual(run);
    expect(await world().types(alice)).toEqual(['agent_started']);
  });

  it('is refused beyond the limit, and writes nothing then', async () => {
    const { runs } = world().ports;
    const few: LaneLimits = { ...ROOMY, maxSuspended: 1 };
    await suspend(await world().running(alice), SLEEP, few);
    const run = await world().running(alice);
    await expect(suspend(run, SLEEP, few)).rejects.toMatchObject({ code: 'too_many_suspended' });
    expect(await runs.find(alice, run.id)).toEqual(run);
    expect(await runs.lane(alice)).toMatchObject({ running: 1, suspended: 1 });
    expect(await suspend(await world().running(bob), SLEEP, few)).toMatchObject({ outcome: 'suspended' });
  });

  it('waits for questions that are open, or that it opens itself', async () => {
    const { journal } = world().ports;
    const run = await world().running(alice);
    const [first, second] = [question(), question()];
    await journal.append(alice, run.id, run.fence, [asking(first, 'a')]);
    const suspension = { approvals: [first.id, second.id] };
    const events = [asking(second, 'b'), suspended()];
    expect(await suspend(run, suspension, ROOMY, events)).toMatchObject({ outcome: 'suspended' });
  });

  it('does not wait for a question that is answered already, or is another run’s', async () => {
    const { runs, journal, approvals } = world().ports;
    const [run, other] = [await world().running(alice), await world().running(alice)];
    const [first, second, foreign] = [question(), question(), question()];
    await journal.append(alice, run.id, run.fence, [asking(first, 'a'), asking(second, 'b')]);
    await journal.append(alice, other.id, other.fence, [asking(foreign)]);
    await approvals.decide({ userId: alice, roles: [] }, second.id, APPROVED, ROOMY);
    const before = await world().types(alice);
    for (const id of [second.id, foreign.id, newId('apr')]) {
      expect(await suspend(run, { approvals: [first.id, id] })).toEqual({ outcome: 'answered' });
    }
    expect(await world().types(alice)).toEqual(before);
    expect(await runs.lane(alice)).toMatchObject({ running: 2, suspended: 0 });
  });

  it('does not lay a run to rest that somebody wants cancelled', async () => {
    const { runs } = world().ports;
    const run = await world().running(alice);
    await runs.requestCancel(alice, run.id, alice, () => closing(), ROOMY);
    expect(await suspend(run)).toEqual({ outcome: 'answered' });
    expect(await runs.find(alice, run.id)).toMatchObject({ status: 'running' });
  });

  it('raises the attempt to that of its events', async () => {
    const run = await world().running(alice);
    await suspend(run, SLEEP, ROOMY, [suspended(3)]);
    expect(await world().ports.runs.find(alice, run.id)).toMatchObject({ attempt: 3 });
  });
}

function wakeContract(openStorage: OpenStorage): void {
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
    expect(await ports.runs.unfinished(undefined, 9)).toEqual([{ ...ref, status: 'queued' }]);
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
    const saved = (await ports.runs.takeOver(alice, run.id))!;
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

function suspendedEndContract(openStorage: OpenStorage): void {
  const world = onEmptyStorage(openStorage);

  it('ends a suspended run at once when it is cancelled, and withdraws its questions first', async () => {
    const { clock, ports } = world();
    const run = await world().running(alice);
    const [first, second] = [question(), question({ approvers: ['boss'] })];
    const events = [asking(first, 'a'), asking(second, 'b'), suspended()];
    await ports.runs.suspend(alice, run.id, run.fence, { approvals: [first.id, second.id] }, events, ROOMY);
    clock.advance(40);
    const end = draftEvent(
      'agent_cancelled',
      { by: alice, forced: false, durationMs: 0 },
      { attempt: 1, atMs: T0 + 40 },
    );
    const request = await ports.runs.requestCancel(alice, run.id, alice, () => end, ROOMY);
    expect(request).toMatchObject({ outcome: 'cancelled', admitted: [], run: { suspendedMs: 40 } });
    expect(await ports.runs.find(alice, run.id)).toEqual('run' in request && request.run);
    const told = (await world().events(alice)).slice(-3);
    expect(told).toMatchObject([
      { type: 'approval_resolved', step: 'a', data: { approvalId: first.id, decision: 'withdrawn' } },
      { type: 'approval_resolved', step: 'b', data: { approvalId: second.id, decision: 'withdrawn' } },
      { type: 'agent_cancelled' },
    ]);
    expect(await ports.runs.lane(alice)).toMatchObject({ running: 0, queued: 0, suspended: 0 });
    expect(await ports.runs.nextDueMs()).toBeUndefined();
    const boss = { userId: bob, roles: ['boss'] };
    expect((await ports.approvals.list(boss, { open: true }, { limit: 9 })).items).toEqual([]);
    expect(await ports.approvals.decide(boss, second.id, APPROVED, ROOMY)).toMatchObject({ outcome: 'closed' });
  });

  it('withdraws the open questions of a run that ends, and only its', async () => {
    const { runs, journal, approvals } = world().ports;
    const [run, other] = [await world().running(alice), await world().running(alice)];
    const [asked, answered, others] = [question(), question(), question()];
    await journal.append(alice, run.id, run.fence, [asking(asked, 'a'), asking(answered, 'b')]);
    await journal.append(alice, other.id, other.fence, [asking(others)]);
    const decider = { userId: alice, roles: [] };
    await approvals.decide(decider, answered.id, APPROVED, ROOMY);
    const drafts = [thinking('so be it'), terminalDraft('failed')];
    await runs.finish(alice, run.id, run.fence, outcomeOf('failed'), drafts, ROOMY);
    expect((await world().types(alice, run.id)).slice(-3)).toEqual([
      'agent_thinking',
      'approval_resolved',
      'agent_error',
    ]);
    expect((await world().events(alice, run.id)).map(({ runSeq }) => runSeq)).toEqual(upTo(7));
    expect(await approvals.find(decider, asked.id)).toMatchObject({ decision: 'withdrawn' });
    expect(await approvals.find(decider, answered.id)).toMatchObject({ decision: 'approved' });
    expect((await approvals.list(decider, { open: true }, { limit: 9 })).items).toMatchObject([{ id: others.id }]);
    expect(await runs.nextDueMs()).toBe(EXPIRES_AT_MS);
  });
}
