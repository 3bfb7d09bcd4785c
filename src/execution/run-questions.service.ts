import { Injectable } from '@nestjs/common';
import type { UserExecutionContext } from '../context/user-execution-context.js';
import { ApprovalService } from './approval.service.js';
import { ExecutionService } from './execution.service.js';
import { isTerminal } from './run-status.js';
import type { RunRecord } from './run-store.port.js';
import { CarrelError } from '../shared/errors.js';
import type { ApprovalId, RunId } from '../shared/ids.js';
import type { ApprovalResponse } from './approval-response.js';

/** Lets runs go on that wait for an answer, by the run: for whoever has it at hand, and not the question. */
@Injectable()
export class RunQuestions {
  constructor(
    private readonly execution: ExecutionService,
    private readonly approvals: ApprovalService,
  ) {}

  /**
   * @returns the run as it is then: on its way back into its lane
   * @throws CarrelError `not_found` | `run_ended` | `no_open_question` | `several_open_questions`, and what
   *   `ApprovalService.respond` throws
   */
  async resume(
    context: UserExecutionContext,
    runId: RunId,
    { approvalId, ...said }: { approvalId?: ApprovalId; decision: ApprovalResponse['decision']; answer?: unknown },
  ): Promise<RunRecord> {
    const run = await this.execution.find(context, runId);
    const id =
      approvalId === undefined ? await this.onlyOneOf(context, run) : await this.oneOf(context, run, approvalId);
    await this.approvals.respond(context, id, said);
    return this.execution.find(context, runId);
  }

  private async oneOf(context: UserExecutionContext, run: RunRecord, approvalId: ApprovalId): Promise<ApprovalId> {
    const approval = await this.approvals.find(context, approvalId);
    if (approval.runId !== run.id) throw new CarrelError('not_found', 'there is no such question');
    return approval.id;
  }

  private async onlyOneOf(context: UserExecutionContext, { id, status }: RunRecord): Promise<ApprovalId> {
    if (isTerminal(status)) throw new CarrelError('run_ended', `the run has already ended (${status})`);
    const { items } = await this.approvals.list(context, { open: true, runId: id }, { limit: 2 });
    const [first, second] = items;
    if (!first) throw new CarrelError('no_open_question', `the run (${status}) asks nothing`);
    if (second) {
      throw new CarrelError('several_open_questions', 'the run asks several questions: say which one with approvalId');
    }
    return first.id;
  }
}
