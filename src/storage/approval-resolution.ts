import type { ApprovalAnswer } from '../events/approval-record.js';
import type { JournalledEvent } from '../events/run-event.js';
import type { DecisionTables, OpenApproval, UserState } from './decision-tables.js';
import { resolvedEvent } from './run-closing.js';
import { suspendedUntil, type LiveRun } from './run-row.js';

/** Closes a question with an answer, which becomes the result of the step that asked. */
export function resolveApproval(
  { approvals, steps, events }: DecisionTables,
  user: UserState,
  run: LiveRun,
  { approval, answer, atMs }: { approval: OpenApproval; answer: ApprovalAnswer; atMs: number },
  journalled: JournalledEvent[],
): void {
  const { decision, decidedBy: by } = answer;
  approvals.close(user, approval, { decision, answer: answer.answer, by, atMs });
  steps.answer(user, run, approval.step, answer, atMs);
  events.append(user, run, [resolvedEvent(run, approval, { decision, by, atMs })], journalled);
}

/** Puts a suspended run back into its lane, where it waits for a place. It is refused by no limit. */
export function resumeRun({ runs }: DecisionTables, user: UserState, run: LiveRun, nowMs: number): void {
  runs.move(user, run, {
    status: 'queued',
    resumed: true,
    suspendedMs: suspendedUntil(run, nowMs),
    suspendedAtMs: undefined,
    dueAtMs: undefined,
  });
}
