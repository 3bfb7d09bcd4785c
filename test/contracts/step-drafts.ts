import type { ApprovalDecision, NewApproval } from '../../src/events/approval-record.js';
import { draftEvent, type EventDraft } from '../../src/events/run-event.js';
import type { StepRecord } from '../../src/events/step-record.js';
import { newId } from '../../src/shared/ids.js';
import { T0 } from './storage-world.js';

const HOUR_MS = 60 * 60 * 1_000;

/** When the questions of the tests expire, unless one says otherwise. */
export const EXPIRES_AT_MS = T0 + HOUR_MS;

export function stepRecord(path: string, over: Partial<StepRecord> = {}): StepRecord {
  return { path, kind: 'step', effect: 'idempotent', state: 'started', attempts: 1, startedAtMs: T0, ...over };
}

export function okStep(path: string, over: Partial<StepRecord> = {}): StepRecord {
  return stepRecord(path, { state: 'ok', endedAtMs: T0 + 5, result: { of: path }, ...over });
}

/** The event that tells of a step, with its record. */
export function recorded(record: StepRecord, attempt = 1): EventDraft {
  const { path, kind } = record;
  const facts = { attempt, atMs: T0, step: path, records: [record] };
  if (record.state === 'started' || record.state === 'waiting')
    return draftEvent('step_started', { step: path, kind }, facts);
  const data = { step: path, outcome: record.state, attempts: record.attempts, durationMs: 5 };
  return draftEvent('step_completed', data, facts);
}

export function question(over: Partial<NewApproval> = {}): NewApproval {
  return {
    id: newId('apr'),
    kind: 'approval',
    title: 'May it be sent?',
    details: { to: 'everybody' },
    schema: { type: 'object' },
    approvers: [],
    hash: 'sha256-of-it-all',
    expiresAtMs: EXPIRES_AT_MS,
    ...over,
  };
}

/** The event that asks, with the record that opens the question. */
export function asking(approval: NewApproval, path = 'ask-1'): EventDraft {
  const { id: approvalId, kind, title, details, schema, approvers, hash, expiresAtMs } = approval;
  const record = stepRecord(path, { kind: 'ask', effect: 'read', untilMs: expiresAtMs, approval });
  const expiresAt = new Date(expiresAtMs).toISOString();
  return draftEvent(
    'approval_required',
    { approvalId, kind, title, details, schema, approvers, hash, expiresAt },
    { attempt: 1, atMs: T0, step: path, records: [record] },
  );
}

export function suspended(attempt = 1): EventDraft {
  return draftEvent('agent_suspended', { waitsFor: 'answer' }, { attempt, atMs: T0 });
}

export const APPROVED = { decision: 'approved' } as const satisfies { decision: ApprovalDecision };
