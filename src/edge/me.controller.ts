import { Controller, Get, Inject, Query, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { CARREL_CONFIG, type CarrelConfig } from '../config/config.js';
import type { UserExecutionContext } from '../context/user-execution-context.js';
import { EVENT_JOURNAL, type EventJournal } from '../events/event-journal.port.js';
import { ExecutionService } from '../execution/execution.service.js';
import type { RunRecord } from '../execution/run-store.port.js';
import { CHECKED } from './checked.pipe.js';
import { CurrentContext } from './current-context.decorator.js';
import { identityOf } from './identity-carrier.js';
import { ApiTags, Documented } from './openapi/api-decorators.js';
import { LimitQuery } from './page.query.js';
import { isoTime, momentOf, namesOf } from './run-view.js';

/** The caller, as the server sees them, and their share of it. */
@ApiTags('Me')
@Controller('v1/me')
export class MeController {
  constructor(
    private readonly execution: ExecutionService,
    @Inject(EVENT_JOURNAL) private readonly journal: EventJournal,
    @Inject(CARREL_CONFIG) private readonly config: CarrelConfig,
  ) {}

  @Documented({
    summary: 'You, as the server sees you',
    answers: { 200: { description: 'What the token says.', schema: 'Me' } },
  })
  @Get()
  async me(@CurrentContext() { userId, roles }: UserExecutionContext, @Req() request: FastifyRequest) {
    const identity = identityOf(request);
    const { last } = await this.journal.bounds(userId);
    return { userId, roles, tokenExpiresAt: identity && isoTime(identity.expiresAtMs), seq: last };
  }

  @Documented({
    summary: 'Your share, and how much of it is in use',
    answers: { 200: { description: 'Limits and use.', schema: 'Limits' } },
  })
  @Get('limits')
  async limits(@CurrentContext() context: UserExecutionContext) {
    const { running, queued, suspended, starts, windowEndsAtMs } = await this.execution.lane(context);
    const windowEndsAt = windowEndsAtMs === 0 ? undefined : isoTime(windowEndsAtMs);
    return { limits: this.config.lane, use: { running, queued, suspended, starts, windowEndsAt } };
  }

  /** A run that waits for a free slot of the server is `running` here: it has its place in the lane. */
  @Documented({
    summary: 'Your waiting runs',
    description:
      'In the order in which they will be admitted. Those that are held for their time or for their thread come last: `heldBy` says so.',
    answers: { 200: { description: 'How many there are, and the first of them.', schema: 'Queue' } },
    problems: ['invalid_request'],
  })
  @Get('queue')
  async queue(@CurrentContext() context: UserExecutionContext, @Query(CHECKED) { limit }: LimitQuery) {
    const [{ running, queued }, waiting] = await Promise.all([
      this.execution.lane(context),
      this.execution.waiting(context, limit),
    ]);
    return { running, queued, items: waiting.map(toWaitingView) };
  }
}

function toWaitingView(run: RunRecord, index: number) {
  const { agent, pipeline } = namesOf(run);
  return {
    id: run.id,
    agent,
    pipeline,
    threadId: run.threadId,
    priority: run.priority,
    position: index + 1,
    heldBy: run.heldBy,
    notBefore: momentOf(run.notBeforeMs),
    createdAt: isoTime(run.createdAtMs),
  };
}
