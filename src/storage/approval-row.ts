import type { ApprovalDecision, ApprovalRecord, NewApproval } from '../events/approval-record.js';
import type { ApprovalId, RunId, ThreadId, UserId } from '../shared/ids.js';
import type { JsonValue } from '../shared/json.js';
import { parsed } from './run-row.js';

/** A row of `approvals`, with the facts of its run and of its owner. */
export interface ApprovalRow {
  id: string;
  user_id: string;
  run_id: string;
  thread_id: string;
  agent: string;
  step: string;
  created_at: number;
  expires_at: number;
  question: string;
  decision: string | null;
  answer: string | null;
  decided_by: string | null;
  decided_at: number | null;
}

/** The column `question`: what never changes. */
type StoredQuestion = Omit<NewApproval, 'id' | 'expiresAtMs'>;

export function storedQuestionOf({ kind, title, details, schema, approvers, hash }: NewApproval): string {
  const question: StoredQuestion = { kind, title, details, schema, approvers, hash };
  return JSON.stringify(question);
}

/** @throws CarrelError `internal` when the row can't be read */
export function questionFromRow(row: { id: string; question: string; expires_at: number }): NewApproval {
  const question = parsed(row.question, row.id) as StoredQuestion;
  return { id: row.id as ApprovalId, ...question, expiresAtMs: row.expires_at };
}

/** A question whose time is over has expired, whether that has been written down yet or not. */
export function approvalFromRow(row: ApprovalRow, nowMs: number): ApprovalRecord {
  const expired = row.decision === null && row.expires_at <= nowMs;
  const decision = expired ? 'expired' : row.decision;
  const decidedAtMs = expired ? row.expires_at : row.decided_at;
  return {
    ...questionFromRow(row),
    userId: row.user_id as UserId,
    runId: row.run_id as RunId,
    threadId: row.thread_id as ThreadId,
    agent: row.agent,
    step: row.step,
    createdAtMs: row.created_at,
    ...(decision === null ? {} : { decision: decision as ApprovalDecision }),
    ...(row.answer === null ? {} : { answer: parsed(row.answer, row.id) as JsonValue }),
    ...(row.decided_by === null ? {} : { decidedBy: row.decided_by as UserId }),
    ...(decidedAtMs === null ? {} : { decidedAtMs }),
  };
}
