import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import type { UserExecutionContext } from '../context/user-execution-context.js';
import { ApprovalService } from '../execution/approval.service.js';
import type { ApprovalId } from '../shared/ids.js';
import { ApprovalListQuery } from './approval-list.query.js';
import { toApprovalView, type ApprovalView } from './approval-view.js';
import { CHECKED } from './checked.pipe.js';
import { CurrentContext } from './current-context.decorator.js';
import { DecisionDto } from './decision.dto.js';
import { APPROVAL_ID } from './id-pipes.js';
import { toListView, type ListView } from './list-view.js';
import { ApiParam, ApiTags, Documented } from './openapi/api-decorators.js';
import { APPROVAL_ID_PARAM } from './openapi/path-params.js';

/** What runs ask their owners, or whoever has a role that the question names. */
@ApiTags('Approvals')
@Controller('v1/approvals')
export class ApprovalsController {
  constructor(private readonly approvals: ApprovalService) {}

  @Documented({
    summary: 'Questions that you may see',
    description: 'Those of your own runs, and open ones that name one of your roles in `approvers`.',
    answers: { 200: { description: 'A page of them.', schema: 'ApprovalList' } },
    problems: ['invalid_request'],
  })
  @Get()
  async list(
    @CurrentContext() context: UserExecutionContext,
    @Query(CHECKED) { status, runId, limit, cursor }: ApprovalListQuery,
  ): Promise<ListView<ApprovalView>> {
    const filter = { open: status === 'open', runId };
    return toListView(await this.approvals.list(context, filter, { limit, cursor }), toApprovalView);
  }

  @Documented({
    summary: 'One question',
    answers: { 200: { description: 'What is asked, and what became of it.', schema: 'Approval' } },
    problems: ['not_found'],
  })
  @ApiParam(APPROVAL_ID_PARAM)
  @Get(':id')
  async find(
    @CurrentContext() context: UserExecutionContext,
    @Param('id', APPROVAL_ID) approvalId: ApprovalId,
  ): Promise<ApprovalView> {
    return toApprovalView(await this.approvals.find(context, approvalId));
  }

  @Documented({
    summary: 'Decide',
    description:
      'Counts once: whoever comes second, from another device or too late, is told so. The run goes on by itself.',
    answers: { 200: { description: 'It is decided.', schema: 'Approval', example: 'ClosedApproval' } },
    problems: [
      'invalid_request',
      'invalid_answer',
      'not_found',
      'forbidden',
      'approval_closed',
      'approval_changed',
      'payload_too_large',
      'unsupported_media_type',
    ],
  })
  @ApiParam(APPROVAL_ID_PARAM)
  @Post(':id')
  @HttpCode(200)
  async respond(
    @CurrentContext() context: UserExecutionContext,
    @Param('id', APPROVAL_ID) approvalId: ApprovalId,
    @Body(CHECKED) { decision, answer, hash }: DecisionDto,
  ): Promise<ApprovalView> {
    return toApprovalView(await this.approvals.respond(context, approvalId, { decision, answer, hash }));
  }
}
