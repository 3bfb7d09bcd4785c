import type { ApprovalId, RunId, ThreadId, UserId } from '../shared/ids.js';
import type { JsonObject, JsonValue } from '../shared/json.js';

/** An approval is granted or refused; a question is answered or declined. */
export type ApprovalKind = 'approval' | 'question';

/** `expired`: nobody decided in time. `withdrawn`: the run ended first. */
export type ApprovalDecision = 'approved' | 'rejected' | 'answered' | 'declined' | 'expired' | 'withdrawn';

/** What a run asks. */
export interface NewApproval {
  readonly id: ApprovalId;
  readonly kind: ApprovalKind;
  readonly title: string;
  readonly details?: JsonValue;
  /** JSON Schema that an answer must fit. */
  readonly schema?: JsonObject;
  /** Roles: when there are any, only users who have one of them may decide, whoever owns the run. */
  readonly approvers: readonly string[];
  /** Of everything that was asked, and for which run and step: what is decided is exactly this. */
  readonly hash: string;
  /** Milliseconds since the Unix epoch, as all moments. */
  readonly expiresAtMs: number;
}

/** A question, and what became of it. */
export interface ApprovalRecord extends NewApproval {
  /** Whose run asks. */
  readonly userId: UserId;
  readonly runId: RunId;
  readonly threadId: ThreadId;
  readonly agent: string;
  /** Path of the step that waits. */
  readonly step: string;
  readonly createdAtMs: number;
  /** Undefined while it is open. */
  readonly decision?: ApprovalDecision;
  readonly answer?: JsonValue;
  /** Who decided, when somebody did. */
  readonly decidedBy?: UserId;
  readonly decidedAtMs?: number;
}

/** What the step that asked is given, as its recorded result. */
export interface ApprovalAnswer {
  readonly decision: Exclude<ApprovalDecision, 'withdrawn'>;
  readonly answer?: JsonValue;
  readonly decidedBy?: UserId;
}
