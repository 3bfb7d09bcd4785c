import type { ApprovalDecision, ApprovalRecord } from '../events/approval-record.js';
import type { ApprovalId, RunId, UserId } from '../shared/ids.js';
import type { JsonValue } from '../shared/json.js';
import type { LaneLimits } from './lane.js';
import type { RunRef } from './run-store.port.js';

export const APPROVAL_STORE = Symbol('APPROVAL_STORE');

/** Who looks or decides: the owner of a run, or somebody with a role that the question names. */
export interface Decider {
  readonly userId: UserId;
  readonly roles: readonly string[];
}

export interface Decision {
  readonly decision: Extract<ApprovalDecision, 'approved' | 'rejected' | 'answered' | 'declined'>;
  readonly answer?: JsonValue;
}

export type DecisionOutcome =
  /** There is none that this decider may see. */
  | { outcome: 'not_found' }
  /** It was decided before, has expired, or its run has ended. */
  | { outcome: 'closed'; approval: ApprovalRecord }
  /** The decider owns the run, but the question is for others. */
  | { outcome: 'forbidden'; approval: ApprovalRecord }
  /**
   * It is decided, in the journal, and the answer is the step's recorded result. `admitted`: runs of the owner to be
   * dispatched; `running`: the run has not been suspended yet, and the process that holds it must be told.
   */
  | { outcome: 'decided'; approval: ApprovalRecord; admitted: readonly RunRef[]; running: boolean };

export interface ApprovalFilter {
  /** Leaves out what is decided. */
  open: boolean;
  /** Only what this run of the decider's own asks. */
  runId?: RunId;
}

export interface ApprovalPage {
  items: readonly ApprovalRecord[];
  nextCursor?: string;
}

/**
 * The questions that runs ask. They are opened by the journal and the run store (`StepRecord.approval`), decided here, once,
 * and closed by the end of their run. A decider sees those of their own runs, and open ones that name a role of theirs.
 */
export interface ApprovalStore {
  find(decider: Decider, approvalId: ApprovalId): Promise<ApprovalRecord | undefined>;

  /** Newest first. Decided ones are shown to the owner only. */
  list(decider: Decider, filter: ApprovalFilter, page: { limit: number; cursor?: string }): Promise<ApprovalPage>;

  /**
   * Decides. In one transaction: the approval, the step's result (an `ApprovalAnswer`, state `ok`), `approval_resolved`, and,
   * when the run is suspended, its way back into its owner's lane.
   */
  decide(decider: Decider, approvalId: ApprovalId, decision: Decision, limits: LaneLimits): Promise<DecisionOutcome>;
}
