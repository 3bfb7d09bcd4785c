import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { CARREL_CONFIG, type CarrelConfig } from '../config/config.js';
import type { UserExecutionContext } from '../context/user-execution-context.js';
import { ExecutionService } from '../execution/execution.service.js';
import { plainMetadata } from '../execution/run-request.js';
import { THREAD_STORE, type ThreadRecord, type ThreadStore } from '../execution/thread-store.port.js';
import { CLOCK, type Clock } from '../shared/clock.js';
import { CarrelError } from '../shared/errors.js';
import { newId, type ThreadId } from '../shared/ids.js';
import { CHECKED } from './checked.pipe.js';
import { CurrentContext } from './current-context.decorator.js';
import { THREAD_ID } from './id-pipes.js';
import { toListView, type ListView } from './list-view.js';
import { NewThreadDto } from './new-thread.dto.js';
import { ApiParam, ApiTags, Documented, UNASKED_BODY } from './openapi/api-decorators.js';
import { THREAD_ID_PARAM } from './openapi/path-params.js';
import { PageQuery } from './page.query.js';
import { RunPageQuery } from './run-list.query.js';
import { isoTime, toRunView, type RunView } from './run-view.js';

/** The caller's threads. */
@ApiTags('Threads')
@Controller('v1/threads')
export class ThreadsController {
  constructor(
    @Inject(THREAD_STORE) private readonly threads: ThreadStore,
    private readonly execution: ExecutionService,
    @Inject(CARREL_CONFIG) private readonly config: CarrelConfig,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** One that is there already is answered as it is, with 200. */
  @Documented({
    summary: 'Make a thread',
    answers: {
      201: { description: 'The new thread.', schema: 'Thread', headers: { Location: 'The path of the thread.' } },
      200: {
        description: 'There was one of that id: it is as it was.',
        schema: 'Thread',
        headers: { Location: 'The path of the thread.' },
      },
    },
    problems: ['invalid_request', 'payload_too_large', 'unsupported_media_type'],
  })
  @Post()
  async create(
    @CurrentContext() { userId }: UserExecutionContext,
    @Body(CHECKED) { id = newId('thr'), title, metadata }: NewThreadDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const { thread, created } = await this.threads.create(userId, {
      id,
      title,
      metadata: plainMetadata(metadata, this.config),
      createdAtMs: this.clock.now(),
    });
    reply.status(created ? 201 : 200).header('location', `/v1/threads/${thread.id}`);
    return toThreadView(thread);
  }

  @Documented({
    summary: 'Your threads',
    answers: { 200: { description: 'A page of them.', schema: 'ThreadList' } },
    problems: ['invalid_request'],
  })
  @Get()
  async list(@CurrentContext() { userId }: UserExecutionContext, @Query(CHECKED) { limit, cursor }: PageQuery) {
    return toListView(await this.threads.list(userId, { limit, cursor }), toThreadView);
  }

  @Documented({
    summary: 'One thread',
    answers: { 200: { description: 'The thread.', schema: 'Thread' } },
    problems: ['invalid_request', 'not_found'],
  })
  @ApiParam(THREAD_ID_PARAM)
  @Get(':id')
  async find(@CurrentContext() { userId }: UserExecutionContext, @Param('id', THREAD_ID) threadId: ThreadId) {
    const thread = await this.threads.find(userId, threadId);
    if (!thread) throw noSuchThread();
    return toThreadView(thread);
  }

  @Documented({
    summary: 'Delete a thread with its runs',
    description: 'Their events stay in the journal without their data, so that the numbering stays whole.',
    answers: { 204: { description: 'It is gone.' } },
    problems: ['invalid_request', 'not_found', 'thread_busy', ...UNASKED_BODY],
  })
  @ApiParam(THREAD_ID_PARAM)
  @Delete(':id')
  @HttpCode(204)
  async delete(
    @CurrentContext() { userId }: UserExecutionContext,
    @Param('id', THREAD_ID) threadId: ThreadId,
  ): Promise<void> {
    if (!(await this.threads.delete(userId, threadId))) throw noSuchThread();
  }

  @Documented({
    summary: "A thread's runs",
    answers: { 200: { description: 'A page of them.', schema: 'RunList' } },
    problems: ['invalid_request', 'not_found'],
  })
  @ApiParam(THREAD_ID_PARAM)
  @Get(':id/runs')
  async runs(
    @CurrentContext() context: UserExecutionContext,
    @Param('id', THREAD_ID) threadId: ThreadId,
    @Query(CHECKED) { status, limit, cursor }: RunPageQuery,
  ): Promise<ListView<RunView>> {
    if (!(await this.threads.find(context.userId, threadId))) throw noSuchThread();
    return toListView(await this.execution.list(context, { status, threadId }, { limit, cursor }), toRunView);
  }
}

function toThreadView({ id, title, metadata, createdAtMs }: ThreadRecord) {
  return { id, title, metadata, createdAt: isoTime(createdAtMs) };
}

function noSuchThread(): CarrelError {
  return new CarrelError('not_found', 'there is no such thread');
}
