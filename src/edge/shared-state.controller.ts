import { Body, Controller, Headers, Post, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { UserExecutionContext } from '../context/user-execution-context.js';
import { ExecutionService } from '../execution/execution.service.js';
import { CurrentContext } from './current-context.decorator.js';
import { ApiBody, ApiHeader, ApiTags, Documented } from './openapi/api-decorators.js';
import { SHARED_STATE_BODY } from './openapi/shared-state-body.js';
import { IDEMPOTENCY_KEY, PREFER, START_ANSWERS, START_PROBLEMS } from './openapi/start-texts.js';
import { answerStart } from './run-start.js';
import type { RunView } from './run-view.js';
import { runRequestOfSharedState } from './shared-state.js';
import { SharedStateWarnings } from './shared-state-warnings.service.js';

/** RFC 9745: a date of RFC 9651, 2026-11-22. */
const DEPRECATED_SINCE = `@${Date.UTC(2026, 10, 22) / 1_000}`;
const GUIDE_PATH = '/docs/migrating-from-shared-state';
const GUIDE_LINK = `<${GUIDE_PATH}>; rel="deprecation"; type="text/html"`;

/** The way over for clients that still send a shared state object. */
@ApiTags('Runs')
@Controller('v1/legacy')
export class SharedStateController {
  constructor(
    private readonly execution: ExecutionService,
    private readonly warnings: SharedStateWarnings,
  ) {}

  @Documented({
    summary: 'Start a run from a shared state object',
    description: `For clients that have not moved to \`POST /v1/runs\` yet; [how to move](${GUIDE_PATH}).`,
    deprecated: true,
    answers: START_ANSWERS,
    problems: [...START_PROBLEMS, 'forbidden'],
  })
  @ApiBody(SHARED_STATE_BODY)
  @ApiHeader(IDEMPOTENCY_KEY)
  @ApiHeader(PREFER)
  @Post('execute')
  async execute(
    @CurrentContext() context: UserExecutionContext,
    @Body() body: unknown,
    @Headers('idempotency-key') idempotencyKey: string | undefined,
    @Headers('prefer') prefer: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<RunView> {
    reply.headers({ deprecation: DEPRECATED_SINCE, link: GUIDE_LINK });
    const request = { ...runRequestOfSharedState(body, context.userId), idempotencyKey };
    const run = await answerStart(this.execution, context, request, { prefer, reply });
    this.warnings.warn(context.audit.userAgent, request.agent);
    return run;
  }
}
