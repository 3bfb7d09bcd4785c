import type { ApprovalRecord } from '../events/approval-record.js';
import type { JournalledEvent } from '../events/run-event.js';
import type { Decider, Decision, DecisionOutcome } from '../execution/approval-store.port.js';
import type { LaneLimits } from '../execution/lane.js';
import type { RunId, UserId } from '../shared/ids.js';
import { resolveApproval, resumeRun } from './approval-resolution.js';
import { approvalFromRow, type ApprovalRow } from './approval-row.js';
import type { DecisionTables } from './decision-tables.js';
import { admitNext } from './lane.js';

/** Who decides, and what. */
export interface Verdicts {
  decider: Decider;
  decision: Decision;
  limits: LaneLimits;
  nowMs: number;
}

/** Decides a question, if this decider may, and lets its run go on. `row` is as it is now; undefined: there is none. */
export function decideApproval(
  tables: DecisionTables,
  row: ApprovalRow | undefined,
  verdict: Verdicts,
  journalled: JournalledEvent[],
): DecisionOutcome {
  const { decider, nowMs } = verdict;
  if (!row) return { outcome: 'not_found' };
  const approval = approvalFromRow(row, nowMs);
  const isOwner = approval.userId === decider.userId;
  const mayDecide = approval.approvers.length === 0 ? isOwner : hasNamedRole(decider, approval);
  if (!isOwner && !mayDecide) return { outcome: 'not_found' };
  if (approval.decision !== undefined) return { outcome: 'closed', approval };
  if (!mayDecide) return { outcome: 'forbidden', approval };
  return settle(tables, row, verdict, journalled);
}

/** Whether the question is for others than its owner alone, and this decider is one of them. */
function hasNamedRole({ roles }: Decider, { approvers }: Pick<ApprovalRecord, 'approvers'>): boolean {
  return approvers.some((role) => roles.includes(role));
}

/** Whether a question is shown to this decider. */
export function maySee(decider: Decider, approval: ApprovalRecord): boolean {
  const isOpenToThem = approval.decision === undefined && hasNamedRole(decider, approval);
  return approval.userId === decider.userId || isOpenToThem;
}

function settle(
  tables: DecisionTables,
  row: ApprovalRow,
  { decider, decision: given, limits, nowMs }: Verdicts,
  journalled: JournalledEvent[],
): DecisionOutcome {
  const { users, runs } = tables;
  const answer = { ...given, decidedBy: decider.userId };
  const owner = users.load(row.user_id as UserId, nowMs);
  const run = runs.findLive(owner, row.run_id as RunId);
  if (!run) throw new Error(`${row.id} is open, but its run has ended`);
  resolveApproval(tables, owner, run, { approval: row, answer, atMs: nowMs }, journalled);
  const running = run.status === 'running';
  if (run.status === 'suspended') resumeRun(tables, owner, run, nowMs);
  const decided: ApprovalRow = {
    ...row,
    decision: given.decision,
    answer: given.answer === undefined ? null : JSON.stringify(given.answer),
    decided_by: decider.userId,
    decided_at: nowMs,
  };
  const admitted = admitNext(owner, limits, runs);
  return { outcome: 'decided', approval: approvalFromRow(decided, nowMs), admitted, running };
}
