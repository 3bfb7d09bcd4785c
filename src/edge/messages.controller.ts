import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import type { UserExecutionContext } from '../context/user-execution-context.js';
import { MESSAGE_STORE, type MessageRecord, type MessageStore } from '../execution/models/message-store.port.js';
import { CarrelError } from '../shared/errors.js';
import type { ThreadId } from '../shared/ids.js';
import type { JsonValue } from '../shared/json.js';
import { CHECKED } from './checked.pipe.js';
import { CurrentContext } from './current-context.decorator.js';
import { THREAD_ID } from './id-pipes.js';
import { toListView, type ListView } from './list-view.js';
import { ApiParam, ApiTags, Documented } from './openapi/api-decorators.js';
import { THREAD_ID_PARAM } from './openapi/path-params.js';
import { PageQuery } from './page.query.js';
import { isoTime } from './run-view.js';

/** A message as its user sees it. */
interface MessageView {
  readonly id: string;
  readonly runId: string;
  readonly role: MessageRecord['role'];
  readonly content: JsonValue;
  readonly createdAt: string;
}

/** The conversations of the caller's threads. */
@ApiTags('Threads')
@Controller('v1/threads')
export class MessagesController {
  constructor(@Inject(MESSAGE_STORE) private readonly messages: MessageStore) {}

  @Documented({
    summary: "A thread's conversation",
    description:
      'What you and agents with a language model have said in it, and which tools were called, oldest first. Runs of other ' +
      'agents add nothing to it. It is deleted with the thread.',
    answers: { 200: { description: 'A page of it.', schema: 'MessageList' } },
    problems: ['invalid_request', 'not_found'],
  })
  @ApiParam(THREAD_ID_PARAM)
  @Get(':id/messages')
  async list(
    @CurrentContext() { userId }: UserExecutionContext,
    @Param('id', THREAD_ID) threadId: ThreadId,
    @Query(CHECKED) { limit, cursor }: PageQuery,
  ): Promise<ListView<MessageView>> {
    const page = await this.messages.list(userId, threadId, { limit, cursor });
    if (!page) throw new CarrelError('not_found', 'there is no such thread');
    return toListView(page, toMessageView);
  }
}

function toMessageView({ id, runId, role, content, createdAtMs }: MessageRecord): MessageView {
  return { id, runId, role, content, createdAt: isoTime(createdAtMs) };
}
