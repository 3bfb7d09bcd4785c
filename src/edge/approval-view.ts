import type { ApprovalDecision, ApprovalKind, ApprovalRecord } from '../events/approval-record.js';
import type { ApprovalId, RunId, ThreadId } from '../shared/ids.js';
import type { JsonObject, JsonValue } from '../shared/json.js';
import { isoTime, momentOf } from './run-view.js';

/** A question as those see it who may: over HTTP and in acknowledgements. Moments are ISO 8601, UTC. */
export interface ApprovalView {
  readonly id: ApprovalId;
  readonly status: 'open' | 'closed';
  readonly kind: ApprovalKind;
  readonly title: string;
  readonly details?: JsonValue;
  readonly schema?: JsonObject;
  readonly approvers: readonly string[];
  readonly hash: string;
  readonly expiresAt: string;
  readonly runId: RunId;
  readonly threadId: ThreadId;
  readonly agent: string;
  readonly step: string;
  /** Whose run asks: whoever decides for somebody else has to know. */
  readonly askedFor: string;
  readonly createdAt: string;
  readonly decision?: ApprovalDecision;
  readonly answer?: JsonValue;
  readonly decidedBy?: string;
  readonly decidedAt?: string;
}

export function toApprovalView(approval: ApprovalRecord): ApprovalView {
  return {
    id: approval.id,
    status: approval.decision === undefined ? 'open' : 'closed',
    kind: approval.kind,
    title: approval.title,
    details: approval.details,
    schema: approval.schema,
    approvers: approval.approvers,
    hash: approval.hash,
    expiresAt: isoTime(approval.expiresAtMs),
    runId: approval.runId,
    threadId: approval.threadId,
    agent: approval.agent,
    step: approval.step,
    askedFor: approval.userId,
    createdAt: isoTime(approval.createdAtMs),
    decision: approval.decision,
    answer: approval.answer,
    decidedBy: approval.decidedBy,
    decidedAt: momentOf(approval.decidedAtMs),
  };
}
