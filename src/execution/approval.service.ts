import { Inject, Injectable, Logger } from '@nestjs/common';
import { CARREL_CONFIG, type CarrelConfig } from '../config/config.js';
import type { UserExecutionContext } from '../context/user-execution-context.js';
import type { ApprovalRecord } from '../events/approval-record.js';
import { CarrelError } from '../shared/errors.js';
import type { ApprovalId } from '../shared/ids.js';
import { readResponse, type ApprovalResponse } from './approval-response.js';
import {
  APPROVAL_STORE,
  type ApprovalFilter,
  type ApprovalPage,
  type ApprovalStore,
  type DecisionOutcome,
} from './approval-store.port.js';
import { RUN_DISPATCHER, type RunDispatcher } from './run-dispatcher.port.js';

type Decided = Extract<DecisionOutcome, { outcome: 'decided' }>;

/** What runs ask, and the answers to it: of the caller's own runs, and of others' that ask for a role of the caller's. */
@Injectable()
export class ApprovalService {
  private readonly logger = new Logger('Approvals');

  constructor(
    @Inject(APPROVAL_STORE) private readonly store: ApprovalStore,
    @Inject(RUN_DISPATCHER) private readonly dispatcher: RunDispatcher,
    @Inject(CARREL_CONFIG) private readonly config: CarrelConfig,
  ) {}

  /** Newest first. */
  list(
    context: UserExecutionContext,
    filter: ApprovalFilter,
    page: { limit: number; cursor?: string },
  ): Promise<ApprovalPage> {
    return this.store.list(context, filter, page);
  }

  /** @throws CarrelError `not_found`, for what the caller may not see too */
  async find(context: UserExecutionContext, approvalId: ApprovalId): Promise<ApprovalRecord> {
    const approval = await this.store.find(context, approvalId);
    if (!approval) throw notFound();
    return approval;
  }

  /**
   * Decides, once and for all; the run goes on with it. Whoever comes second, too late or without the right changes nothing.
   *
   * @throws CarrelError `not_found` | `forbidden` | `approval_closed` | `approval_changed` | `invalid_answer`
   */
  async respond(
    context: UserExecutionContext,
    approvalId: ApprovalId,
    response: ApprovalResponse,
  ): Promise<ApprovalRecord> {
    const approval = await this.store.find(context, approvalId);
    if (!approval) throw this.refused(context, approvalId, notFound());
    if (approval.decision) throw this.refused(context, approvalId, closed(approval));
    if (!mayDecide(context, approval)) throw this.refused(context, approvalId, forbidden(approval));
    if (response.hash !== undefined && response.hash !== approval.hash) {
      const text = 'this answer is to another question than the one that is open: look at it again, then decide';
      throw this.refused(context, approvalId, new CarrelError('approval_changed', text));
    }
    const { http, limits } = this.config;
    const decision = readResponse(approval, response, { maxBytes: http.bodyLimitBytes, maxDepth: limits.jsonDepth });
    const outcome = await this.store.decide(context, approvalId, decision, this.config.lane);
    if (outcome.outcome !== 'decided') throw this.refused(context, approvalId, refusalOf(outcome));
    await this.goOn(outcome);
    return outcome.approval;
  }

  private async goOn({ approval: { userId, runId }, admitted, running }: Decided): Promise<void> {
    for (const ref of admitted) await this.dispatcher.dispatch(ref);
    if (running) await this.dispatcher.answered({ userId, runId });
  }

  private refused(
    { userId, requestId }: UserExecutionContext,
    approvalId: ApprovalId,
    error: CarrelError,
  ): CarrelError {
    this.logger.warn({ userId, requestId, approvalId, code: error.code }, 'an answer to a question was refused');
    return error;
  }
}

function mayDecide({ roles }: UserExecutionContext, { approvers }: ApprovalRecord): boolean {
  return approvers.length === 0 || approvers.some((role) => roles.includes(role));
}

function refusalOf(outcome: Exclude<DecisionOutcome, Decided>): CarrelError {
  switch (outcome.outcome) {
    case 'not_found':
      return notFound();
    case 'forbidden':
      return forbidden(outcome.approval);
    case 'closed':
      return closed(outcome.approval);
  }
}

function notFound(): CarrelError {
  return new CarrelError('not_found', 'there is no such question');
}

function forbidden({ approvers }: ApprovalRecord): CarrelError {
  return new CarrelError('forbidden', `only users with one of these roles may decide: ${approvers.join(', ')}`);
}

/** Says what became of it, and when. One that expires is over at its time, whenever that is noticed. */
function closed({ decision = 'expired', decidedAtMs, expiresAtMs }: ApprovalRecord): CarrelError {
  const at = new Date((decision === 'expired' ? undefined : decidedAtMs) ?? expiresAtMs).toISOString();
  const what = decision === 'withdrawn' ? 'its run ended first' : `it was ${decision}`;
  const text = decision === 'expired' ? `it expired at ${at}` : `${what}, at ${at}`;
  return new CarrelError('approval_closed', `the question is closed: ${text}`, { details: { decision, at } });
}
