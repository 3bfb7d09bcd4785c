import { Controller, Get, Header, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { UserExecutionContext } from '../context/user-execution-context.js';
import { CHECKED } from './checked.pipe.js';
import { CurrentContext } from './current-context.decorator.js';
import { EventPages } from './event-pages.service.js';
import { EventStreams } from './event-streams.service.js';
import { EventPageQuery, EventStreamQuery } from './events.query.js';
import { ApiHeader, ApiTags, Documented } from './openapi/api-decorators.js';
import { LAST_EVENT_ID, STREAM_TEXT } from './openapi/stream-texts.js';

/** All of the caller's events. */
@ApiTags('Events')
@Controller('v1')
export class EventsController {
  constructor(
    private readonly pages: EventPages,
    private readonly streams: EventStreams,
  ) {}

  @Documented({
    summary: 'A page of your events',
    description:
      'In the order of `seq`. Where a number is missing at the beginning, retention has removed what was there.',
    answers: { 200: { description: 'Whole envelopes.', schema: 'EventPage' } },
    problems: ['invalid_request'],
  })
  @Get('events')
  @Header('content-type', 'application/json; charset=utf-8')
  events(
    @CurrentContext() { userId }: UserExecutionContext,
    @Query(CHECKED) { after, limit }: EventPageQuery,
  ): Promise<string> {
    return this.pages.page(userId, { after, limit });
  }

  @Documented({
    summary: 'All your events, live',
    description: STREAM_TEXT,
    answers: { 200: { description: 'Goes on until the token or the server ends.', schema: 'EventStream' } },
    problems: ['invalid_request', 'too_many_sockets', 'draining'],
  })
  @ApiHeader(LAST_EVENT_ID)
  @Get('stream')
  async stream(
    @CurrentContext() context: UserExecutionContext,
    @Query(CHECKED) { after }: EventStreamQuery,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.streams.open(request, reply, context, { after });
  }
}
