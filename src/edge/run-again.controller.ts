import { Body, Controller, HttpCode, Param, Post, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { UserExecutionContext } from '../context/user-execution-context.js';
import { ExecutionService } from '../execution/execution.service.js';
import type { RunId } from '../shared/ids.js';
import { CHECKED, CHECKED_IF_GIVEN } from './checked.pipe.js';
import { CurrentContext } from './current-context.decorator.js';
import { ResumeDto } from './decision.dto.js';
import { approvalIdOf, RUN_ID } from './id-pipes.js';
import { RUN_ID_PARAM } from './openapi/path-params.js';
import { RetryDto } from './retry.dto.js';
import { RunQuestions } from '../execution/run-questions.service.js';
import { ApiParam, ApiTags, Documented } from './openapi/api-decorators.js';
import { toRunView, type RunView } from './run-view.js';

/** What lets the caller's run go on, or be tried again. */
@ApiTags('Runs')
@Controller('v1/runs')
export class RunAgainController {
  constructor(
    private readonly execution: ExecutionService,
    private readonly questions: RunQuestions,
  ) {}

  @Documented({
    summary: 'Try a run again',
    description: 'A new run of the same, in the same thread; `retryOf` says which run it tries again.',
    answers: {
      202: {
        description: 'The new run.',
        schema: 'Run',
        example: 'RetriedRun',
        headers: { Location: 'The path of the new run.' },
      },
    },
    problems: [
      'invalid_request',
      'invalid_input',
      'unknown_agent',
      'unknown_pipeline',
      'invalid_pipeline',
      'not_found',
      'run_not_ended',
      'payload_too_large',
      'unsupported_media_type',
      'queue_full',
      'rate_limited',
      'draining',
    ],
  })
  @ApiParam(RUN_ID_PARAM)
  @Post(':id/retry')
  @HttpCode(202)
  async retry(
    @CurrentContext() context: UserExecutionContext,
    @Param('id', RUN_ID) runId: RunId,
    @Body(CHECKED_IF_GIVEN) { reuseSteps }: RetryDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<RunView> {
    const run = await this.execution.retry(context, runId, { reuseSteps });
    reply.header('location', `/v1/runs/${run.id}`);
    return toRunView(run);
  }

  @Documented({
    summary: "Answer a run's only open question",
    description: 'The same as `POST /v1/approvals/{id}`, for whoever has the run at hand and not the question.',
    answers: { 202: { description: 'It is decided, and the run goes on.', schema: 'Run', example: 'QueuedRun' } },
    problems: [
      'invalid_request',
      'invalid_answer',
      'not_found',
      'forbidden',
      'run_ended',
      'no_open_question',
      'several_open_questions',
      'approval_closed',
      'payload_too_large',
      'unsupported_media_type',
    ],
  })
  @ApiParam(RUN_ID_PARAM)
  @Post(':id/resume')
  @HttpCode(202)
  async resume(
    @CurrentContext() context: UserExecutionContext,
    @Param('id', RUN_ID) runId: RunId,
    @Body(CHECKED) { approvalId, decision, answer }: ResumeDto,
  ): Promise<RunView> {
    const which = approvalId === undefined ? undefined : approvalIdOf(approvalId);
    return toRunView(await this.questions.resume(context, runId, { approvalId: which, decision, answer }));
  }
}
