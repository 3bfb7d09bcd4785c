import { Controller, Get, Header, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { UserExecutionContext } from '../context/user-execution-context.js';
import { CHECKED } from './checked.pipe.js';
import { CurrentContext } from './current-context.decorator.js';
import { EventPages } from './event-pages.service.js';
import { EventStreams } from './event-streams.service.js';
import { EventPageQuery, EventStreamQuery } from './events.query.js';

/** All of the caller's events. */
@Controller('v1')
export class EventsController {
  constructor(
    private readonly pages: EventPages,
    private readonly streams: EventStreams,
  ) {}

  @Get('events')
  @Header('content-type', 'application/json; charset=utf-8')
  events(
    @CurrentContext() { userId }: UserExecutionContext,
    @Query(CHECKED) { after, limit }: EventPageQuery,
  ): Promise<string> {
    return this.pages.page(userId, { after, limit });
  }

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
