import type { ApprovalDecision } from '../events/approval-record.js';
import { draftEvent, type EventDraft, type JournalledEvent } from '../events/run-event.js';
import type { RunOutcome } from '../execution/run-store.port.js';
import type { ApprovalId } from '../shared/ids.js';
import type { DecisionTables, UserState } from './decision-tables.js';
import { leaveLane } from './lane.js';
import type { LiveRun } from './run-row.js';

/**
 * Ends a run: its open questions are withdrawn, its last events and its record are written, and its place is given back
 * without being given away. The caller has made sure that `drafts` end with the right terminal event.
 */
export function closeRun(
  tables: DecisionTables,
  user: UserState,
  run: LiveRun,
  { outcome, drafts }: { outcome: RunOutcome; drafts: readonly EventDraft[] },
  journalled: JournalledEvent[],
): void {
  const { runs, events } = tables;
  const withdrawn = run.stepped ? withdrawQuestions(tables, user, run, outcome.endedAtMs) : [];
  const all = withdrawn.length > 0 ? [...drafts.slice(0, -1), ...withdrawn, ...drafts.slice(-1)] : drafts;
  events.append(user, run, all, journalled);
  runs.end(user, run, outcome);
  leaveLane(user, run, runs);
}

/** What everybody is told of a question that is closed. */
export function resolvedEvent(
  run: LiveRun,
  { id, step }: { id: string; step: string },
  { decision, by, atMs }: { decision: ApprovalDecision; by?: string; atMs: number },
): EventDraft {
  const data = { approvalId: id as ApprovalId, decision, by };
  return draftEvent('approval_resolved', data, { attempt: run.attempt, atMs, step });
}

function withdrawQuestions({ approvals }: DecisionTables, user: UserState, run: LiveRun, atMs: number): EventDraft[] {
  return approvals.openOf(user, run).map((approval) => {
    const verdict = { decision: 'withdrawn' as const, atMs };
    approvals.close(user, approval, verdict);
    return resolvedEvent(run, approval, verdict);
  });
}
