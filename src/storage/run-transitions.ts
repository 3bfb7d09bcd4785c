import type { EventDraft, JournalledEvent } from '../events/run-event.js';
import type { LaneLimits, LaneState } from '../execution/lane.js';
import type { CancelRequest, ClaimedRun, RunOutcome, RunRecord, RunRef } from '../execution/run-store.port.js';
import { WINDOW_MS, type DecisionTables, type UserState } from './decision-tables.js';
import { admitNext, isWindowOpen } from './lane.js';
import { closeRun } from './run-closing.js';
import { suspendedUntil } from './run-row.js';
import { liveRunUnderFence, refuseTerminal, refuseWrongEnd } from './run-rules.js';

/** A running run, and who says so. */
export interface HeldRun extends RunRef {
  fence: number;
}

/** What becomes of runs that are there, but for their suspension: from claim to end. */
export class RunTransitions {
  constructor(private readonly tables: DecisionTables) {}

  claim(
    { userId, runId }: RunRef,
    opening: (run: ClaimedRun) => EventDraft,
    nowMs: number,
    journalled: JournalledEvent[],
  ): ClaimedRun | undefined {
    const { users, runs, events } = this.tables;
    const user = users.load(userId, nowMs);
    const run = runs.findLive(user, runId);
    if (!run || run.status !== 'queued' || !run.admitted) return undefined;

    const { resumed, stepped: hasSteps } = run;
    const claimed = {
      status: 'running' as const,
      attempt: resumed ? run.attempt : run.attempt + 1,
      fence: run.fence + 1,
      startedAtMs: run.startedAtMs ?? nowMs,
    };
    const record: ClaimedRun = { ...runs.record(user, run), ...claimed, resumed, hasSteps };
    const first = opening(record);
    refuseTerminal([first]);
    run.request = undefined;
    if (resumed) runs.move(user, run, { ...claimed, resumed: false });
    else runs.saveState(user, Object.assign(run, claimed));
    events.append(user, run, [first], journalled);
    return record;
  }

  append(
    { userId, runId, fence }: HeldRun,
    drafts: readonly EventDraft[],
    nowMs: number,
    journalled: JournalledEvent[],
  ): void {
    const { users, runs, events } = this.tables;
    const user = users.load(userId, nowMs);
    const run = liveRunUnderFence(runs, user, runId, fence);
    refuseTerminal(drafts);
    events.append(user, run, drafts, journalled);
    const attempt = drafts.at(-1)?.attempt ?? 0;
    if (attempt > run.attempt) runs.saveState(user, Object.assign(run, { attempt }));
  }

  finish(
    { userId, runId, fence }: HeldRun,
    { outcome, drafts }: { outcome: RunOutcome; drafts: readonly EventDraft[] },
    { limits, nowMs }: { limits: LaneLimits; nowMs: number },
    journalled: JournalledEvent[],
  ): { admitted: readonly RunRef[] } {
    const { users, runs } = this.tables;
    const user = users.load(userId, nowMs);
    const run = liveRunUnderFence(runs, user, runId, fence);
    refuseWrongEnd(outcome.status, drafts);
    closeRun(this.tables, user, run, { outcome, drafts }, journalled);
    return { admitted: admitNext(user, limits, runs) };
  }

  requeue({ userId, runId, fence }: HeldRun, nowMs: number): void {
    const { users, runs } = this.tables;
    const user = users.load(userId, nowMs);
    const run = liveRunUnderFence(runs, user, runId, fence);
    run.status = 'queued';
    runs.saveState(user, run);
  }

  takeOver({ userId, runId, fence }: HeldRun, nowMs: number): RunRecord | undefined {
    const { users, runs } = this.tables;
    const user = users.load(userId, nowMs);
    const run = runs.findLive(user, runId);
    if (run?.status !== 'running' || run.fence !== fence) return undefined;
    const record = { ...runs.record(user, run), fence: run.fence + 1 };
    run.fence += 1;
    runs.saveState(user, run);
    return record;
  }

  requestCancel(
    { userId, runId }: RunRef,
    { by, closing }: { by: string; closing: (run: RunRecord) => EventDraft },
    { limits, nowMs }: { limits: LaneLimits; nowMs: number },
    journalled: JournalledEvent[],
  ): CancelRequest {
    const { users, runs } = this.tables;
    const user = users.load(userId, nowMs);
    const found = runs.find(user, runId);
    if (!found) return { outcome: 'not_found' };
    if ('ended' in found) return { outcome: 'already_ended', run: found.ended };

    const run = found.live;
    const cancelRequestedBy = run.cancelRequestedBy ?? by;
    const record: RunRecord = { ...runs.record(user, run), cancelRequestedBy };
    if (run.status === 'running') {
      if (run.cancelRequestedBy === undefined) runs.noteCancel(user, run, by);
      return { outcome: 'requested', run: record };
    }
    const last = closing(record);
    refuseWrongEnd('cancelled', [last]);
    const outcome: RunOutcome = { status: 'cancelled', endedAtMs: last.atMs, attempt: run.attempt };
    run.cancelRequestedBy = cancelRequestedBy;
    closeRun(this.tables, user, run, { outcome, drafts: [last] }, journalled);
    const { heldBy: _, ...rest } = record;
    const suspendedMs = suspendedUntil(run, last.atMs);
    const ended: RunRecord = { ...rest, status: 'cancelled', suspendedMs, endedAtMs: last.atMs };
    return { outcome: 'cancelled', run: ended, admitted: admitNext(user, limits, runs) };
  }
}

/** What is known of a user's lane. */
export function laneStateOf(user: UserState, nowMs: number): LaneState {
  const window = isWindowOpen(user, nowMs)
    ? { starts: user.starts, windowEndsAtMs: user.windowStartMs + WINDOW_MS }
    : { starts: 0, windowEndsAtMs: 0 };
  const { admitted: running, waiting, held, suspended } = user;
  return { running, queued: waiting.size + held, suspended, ...window };
}
