import type { EventDraft, JournalledEvent } from '../events/run-event.js';
import type { LaneLimits } from '../execution/lane.js';
import type { RunRef, SuspendOutcome, Suspension } from '../execution/run-store.port.js';
import { CarrelError } from '../shared/errors.js';
import type { ApprovalId, RunId } from '../shared/ids.js';
import { resolveApproval, resumeRun } from './approval-resolution.js';
import type { DecisionTables, OpenApproval, UserState } from './decision-tables.js';
import { admitNext } from './lane.js';
import type { LiveRun } from './run-row.js';
import { liveRunUnderFence, refuseTerminal } from './run-rules.js';
import type { HeldRun } from './run-transitions.js';

/** Lets runs rest that wait for a person or for time, and lets those go on for which the time has come. */
export class RunSuspension {
  constructor(private readonly tables: DecisionTables) {}

  suspend(
    { userId, runId, fence }: HeldRun,
    suspension: Suspension,
    drafts: readonly EventDraft[],
    { limits, nowMs }: { limits: LaneLimits; nowMs: number },
    journalled: JournalledEvent[],
  ): SuspendOutcome {
    const { users, runs, events, steps } = this.tables;
    const user = users.load(userId, nowMs);
    const run = liveRunUnderFence(runs, user, runId, fence);
    refuseTerminal(drafts);
    if (drafts.at(-1)?.type !== 'agent_suspended') {
      throw new CarrelError('internal', 'The events of a run that is suspended must end with agent_suspended');
    }
    // who wants it cancelled has told its process: at rest it would never hear of it
    if (run.cancelRequestedBy !== undefined) return { outcome: 'cancel_requested', by: run.cancelRequestedBy };
    if (suspension.approvals.some((id) => !this.isOpen(user, run, id, drafts))) return { outcome: 'answered' };
    if (user.suspended >= limits.maxSuspended) {
      const text = `${user.suspended} of your runs are suspended already, and at most ${limits.maxSuspended} may: answer or cancel one`;
      throw new CarrelError('too_many_suspended', text);
    }
    events.append(user, run, drafts, journalled);
    steps.rest(user, run, suspension.interrupted);
    runs.move(user, run, {
      status: 'suspended',
      admitted: false,
      attempt: Math.max(run.attempt, drafts.at(-1)?.attempt ?? 0),
      suspendedAtMs: nowMs,
      dueAtMs: suspension.untilMs,
    });
    return { outcome: 'suspended', admitted: admitNext(user, limits, runs) };
  }

  /** A run that has come due: it takes its place in its lane. @returns who was admitted by that */
  wake({ userId, runId }: RunRef, nowMs: number, limits: LaneLimits): RunRef[] {
    const { users, runs } = this.tables;
    const user = users.load(userId, nowMs);
    const run = this.liveRun(user, runId);
    if (run.status === 'suspended') {
      resumeRun(this.tables, user, run, nowMs);
    } else {
      const isFirst = user.threads.get(run.threadId)?.[0] === runId;
      runs.move(user, run, { hold: isFirst ? undefined : 'thread', dueAtMs: undefined });
    }
    return admitNext(user, limits, runs);
  }

  /**
   * A question whose time is over: it is closed, and its run goes on.
   *
   * @returns who was admitted by that; `running` when the run has not been suspended, and whoever runs it must be told
   */
  expire(
    { userId, runId }: RunRef,
    approval: OpenApproval,
    { limits, nowMs }: { limits: LaneLimits; nowMs: number },
    journalled: JournalledEvent[],
  ): { admitted: RunRef[]; running?: RunRef } {
    const { users, runs } = this.tables;
    const user = users.load(userId, nowMs);
    const run = this.liveRun(user, runId);
    resolveApproval(this.tables, user, run, { approval, answer: { decision: 'expired' }, atMs: nowMs }, journalled);
    if (run.status === 'running') return { admitted: [], running: { userId, runId } };
    if (run.status === 'suspended') resumeRun(this.tables, user, run, nowMs);
    return { admitted: admitNext(user, limits, runs) };
  }

  private liveRun(user: UserState, runId: RunId): LiveRun {
    const run = this.tables.runs.findLive(user, runId);
    if (!run) throw new Error(`${runId} is waited for, but has ended`);
    return run;
  }

  /** Open, or about to be opened by what one of the drafts records. */
  private isOpen(user: UserState, run: LiveRun, id: ApprovalId, drafts: readonly EventDraft[]): boolean {
    const state = this.tables.approvals.stateOf(user, run, id);
    return (
      state === 'open' ||
      (state === 'unknown' && drafts.some(({ records = [] }) => records.some(({ approval }) => approval?.id === id)))
    );
  }
}
