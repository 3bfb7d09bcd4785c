import { draftEvent } from '../../src/events/run-event.js';
import type { LaneLimits } from '../../src/execution/lane.js';
import type { RunRecord, Suspension } from '../../src/execution/run-store.port.js';
import { newId } from '../../src/shared/ids.js';
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

/** The part of `RunStore` that lets runs rest. */
export function runSuspensionContract(openStorage: OpenStorage): void {
  describe('suspend', () => suspendContract(openStorage));
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

  it('lets no step rest that was interrupted, and whose owner is asked', async () => {
    const { runs, journal } = world().ports;
    const run = await world().running(alice);
    await journal.append(alice, run.id, run.fence, [recorded(stepRecord('a')), recorded(stepRecord('b'))]);
    await suspend(run, { ...SLEEP, interrupted: ['a'] });
    expect((await runs.steps(alice, run.id)).map(({ path, state }) => [path, state])).toEqual([
      ['a', 'started'],
      ['b', 'waiting'],
    ]);
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
    expect(await runs.takeOver(alice, run.id, run.fence)).toBeUndefined();
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
    expect(await suspend(run)).toEqual({ outcome: 'cancel_requested', by: alice });
    expect(await runs.find(alice, run.id)).toMatchObject({ status: 'running' });
  });

  it('raises the attempt to that of its events', async () => {
    const run = await world().running(alice);
    await suspend(run, SLEEP, ROOMY, [suspended(3)]);
    expect(await world().ports.runs.find(alice, run.id)).toMatchObject({ attempt: 3 });
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
