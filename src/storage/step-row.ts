import type { NewApproval } from '../events/approval-record.js';
import type { RunError, Usage } from '../events/run-error.js';
import type { StepEffect, StepKind, StepRecord, StepState } from '../events/step-record.js';
import type { JsonValue } from '../shared/json.js';
import { questionFromRow } from './approval-row.js';
import { parsed } from './run-row.js';

/** A row of `run_steps`, with the question that the step asked, if it did. */
export interface StepRow {
  path: string;
  first_seq: number;
  /** Which one of the records that its first event had. */
  nth: number;
  kind: string;
  effect: string;
  state: string;
  attempts: number;
  started_at: number;
  ended_at: number | null;
  until_at: number | null;
  outcome: string | null;
  approval_id: string | null;
  question: string | null;
  expires_at: number | null;
}

/** The column `outcome`: how the step ended, when there is more to say than its state. */
interface StoredStepOutcome {
  result?: JsonValue;
  degraded?: boolean;
  error?: RunError;
  reason?: string;
  usage?: Usage;
}

export function storedOutcomeOf({ result, degraded, error, reason, usage }: StoredStepOutcome): string | null {
  const outcome: StoredStepOutcome = { result, degraded, error, reason, usage };
  return Object.values(outcome).every((fact) => fact === undefined) ? null : JSON.stringify(outcome);
}

/** @throws CarrelError `internal` when the row can't be read */
export function stepFromRow(row: StepRow): StepRecord {
  const outcome = row.outcome === null ? {} : (parsed(row.outcome, row.path) as StoredStepOutcome);
  return {
    path: row.path,
    kind: row.kind as StepKind,
    effect: row.effect as StepEffect,
    state: row.state as StepState,
    attempts: row.attempts,
    startedAtMs: row.started_at,
    ...(row.ended_at === null ? {} : { endedAtMs: row.ended_at }),
    ...outcome,
    ...(row.until_at === null ? {} : { untilMs: row.until_at }),
    ...(row.approval_id === null ? {} : { approval: approvalOf(row) }),
  };
}

function approvalOf({ approval_id, question, expires_at }: StepRow): NewApproval {
  return questionFromRow({ id: String(approval_id), question: String(question), expires_at: Number(expires_at) });
}
