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
import { RUN_ID } from './id-pipes.js';
import { preferredWaitSeconds } from './prefer-wait.js';
import { RunListQuery } from './run-list.query.js';
import { toRunView, type RunView } from './run-view.js';
import { StartRunDto } from './start-run.dto.js';
import { toListView, type ListView } from './list-view.js';

/** The caller's runs. */
@Controller('v1/runs')
export class RunsController {
  constructor(
    private readonly execution: ExecutionService,
    private readonly pages: EventPages,
    private readonly streams: EventStreams,
  ) {}

  @Post()
  async start(
    @CurrentContext() context: UserExecutionContext,
    @Body(CHECKED) { agent, input, threadId, metadata }: StartRunDto,
    @Headers('idempotency-key') idempotencyKey: string | undefined,
    @Headers('prefer') prefer: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<RunView> {
    const { run, replayed } = await this.execution.submit(context, {
      agent,
      input,
      threadId,
      metadata,
      idempotencyKey,
    });
    reply.header('location', `/v1/runs/${run.id}`);
    if (replayed) reply.header('idempotency-replayed', 'true');
    const seconds = preferredWaitSeconds(prefer);
    if (seconds === 0) return answer(reply, 202, toRunView(run));
    reply.header('preference-applied', `wait=${seconds}`);
    const options = { timeoutMs: seconds * 1_000, signal: clientGone(reply) };
    const later = await this.execution.waitForEnd(context, run.id, options);
    return answer(reply, isTerminal(later.status) ? 200 : 202, toRunView(later));
  }

  @Get()
  async list(
    @CurrentContext() context: UserExecutionContext,
    @Query(CHECKED) { status, threadId, limit, cursor }: RunListQuery,
  ): Promise<ListView<RunView>> {
    return toListView(await this.execution.list(context, { status, threadId }, { limit, cursor }), toRunView);
  }

  @Get(':id')
  async find(@CurrentContext() context: UserExecutionContext, @Param('id', RUN_ID) runId: RunId): Promise<RunView> {
    return toRunView(await this.execution.find(context, runId));
  }

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
