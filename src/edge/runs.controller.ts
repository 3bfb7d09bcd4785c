import { Body, Controller, Get, Header, Headers, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { UserExecutionContext } from '../context/user-execution-context.js';
import { ExecutionService } from '../execution/execution.service.js';
import { isTerminal } from '../execution/run-status.js';
import type { RunId } from '../shared/ids.js';
import { CancelQuery } from './cancel.query.js';
import { CHECKED } from './checked.pipe.js';
import { clientGone } from './client-gone.js';
import { CurrentContext } from './current-context.decorator.js';
import { EventPages } from './event-pages.service.js';
import { EventStreams } from './event-streams.service.js';
import { EventPageQuery, EventStreamQuery } from './events.query.js';
import { IDEMPOTENCY_KEY, PREFER, START_ANSWERS, START_PROBLEMS } from './openapi/start-texts.js';
import { LAST_EVENT_ID, STREAM_TEXT } from './openapi/stream-texts.js';
import { RUN_ID } from './id-pipes.js';
import { RunListQuery } from './run-list.query.js';
import { answerStart } from './run-start.js';
import { toRunView, type RunView } from './run-view.js';
import { StartRunDto } from './start-run.dto.js';
import { toListView, type ListView } from './list-view.js';
import { ApiHeader, ApiParam, ApiTags, Documented, UNASKED_BODY } from './openapi/api-decorators.js';
import { RUN_ID_PARAM } from './openapi/path-params.js';

/** The caller's runs. */
@ApiTags('Runs')
@Controller('v1/runs')
export class RunsController {
  constructor(
    private readonly execution: ExecutionService,
    private readonly pages: EventPages,
    private readonly streams: EventStreams,
  ) {}

  @Documented({
    summary: 'Start a run',
    answers: START_ANSWERS,
    problems: START_PROBLEMS,
  })
  @ApiHeader(IDEMPOTENCY_KEY)
  @ApiHeader(PREFER)
  @Post()
  async start(
    @CurrentContext() context: UserExecutionContext,
    @Body(CHECKED) body: StartRunDto,
    @Headers('idempotency-key') idempotencyKey: string | undefined,
    @Headers('prefer') prefer: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<RunView> {
    const { agent, pipeline, input, threadId, metadata, priority, delayMs, onConflict } = body;
    const request = { agent, pipeline, input, threadId, metadata, priority, delayMs, onConflict, idempotencyKey };
    return answerStart(this.execution, context, request, { prefer, reply });
  }

  @Documented({
    summary: 'Your runs',
    answers: { 200: { description: 'A page of them.', schema: 'RunList' } },
    problems: ['invalid_request'],
  })
  @Get()
  async list(
    @CurrentContext() context: UserExecutionContext,
    @Query(CHECKED) { status, threadId, limit, cursor }: RunListQuery,
  ): Promise<ListView<RunView>> {
    return toListView(await this.execution.list(context, { status, threadId }, { limit, cursor }), toRunView);
  }

  @Documented({
    summary: 'One run',
    answers: { 200: { description: 'The run as it is now.', schema: 'Run' } },
    problems: ['invalid_request', 'not_found'],
  })
  @ApiParam(RUN_ID_PARAM)
  @Get(':id')
  async find(@CurrentContext() context: UserExecutionContext, @Param('id', RUN_ID) runId: RunId): Promise<RunView> {
    return toRunView(await this.execution.find(context, runId));
  }

  @Documented({
    summary: "A page of a run's events",
    answers: { 200: { description: 'Whole envelopes.', schema: 'EventPage' } },
    problems: ['invalid_request', 'not_found'],
  })
  @ApiParam(RUN_ID_PARAM)
  @Get(':id/events')
  @Header('content-type', 'application/json; charset=utf-8')
  async events(
    @CurrentContext() context: UserExecutionContext,
    @Param('id', RUN_ID) runId: RunId,
    @Query(CHECKED) { after, limit }: EventPageQuery,
  ): Promise<string> {
    await this.execution.find(context, runId);
    return this.pages.page(context.userId, { after, limit, runId });
  }

  @Documented({
    summary: "A run's events, live",
    description: `${STREAM_TEXT} The stream ends with the run.`,
    answers: {
      200: { description: 'Goes on until the run, the token or the server ends.', schema: 'EventStream' },
      204: { description: 'The run has ended, and there is nothing behind the position: no need to come back.' },
    },
    problems: ['invalid_request', 'not_found', 'too_many_sockets', 'draining'],
  })
  @ApiHeader(LAST_EVENT_ID)
  @ApiParam(RUN_ID_PARAM)
  @Get(':id/stream')
  async stream(
    @CurrentContext() context: UserExecutionContext,
    @Param('id', RUN_ID) runId: RunId,
    @Query(CHECKED) { after }: EventStreamQuery,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { status } = await this.execution.find(context, runId);
    await this.streams.open(request, reply, context, { after, run: { id: runId, ended: isTerminal(status) } });
  }

  @Documented({
    summary: 'Cancel a run',
    answers: {
      202: { description: 'It has been told to stop.', schema: 'Run', example: 'QueuedRun' },
      200: { description: 'It has ended, cancelled or otherwise.', schema: 'Run' },
    },
    problems: ['invalid_request', 'not_found', 'run_ended', ...UNASKED_BODY],
  })
  @ApiParam(RUN_ID_PARAM)
  @Post(':id/cancel')
  @HttpCode(202)
  async cancel(
    @CurrentContext() context: UserExecutionContext,
    @Param('id', RUN_ID) runId: RunId,
    @Query(CHECKED) { wait }: CancelQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<RunView> {
    const run = await this.execution.cancel(context, runId, { wait, signal: clientGone(reply) });
    return answer(reply, isTerminal(run.status) ? 200 : 202, toRunView(run));
  }
}

function answer<Body>(reply: FastifyReply, status: number, body: Body): Body {
  reply.status(status);
  return body;
}
