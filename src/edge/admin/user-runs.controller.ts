import { Controller, Get, Header, Param, Query, type PipeTransform } from '@nestjs/common';
import type { UserExecutionContext } from '../../context/user-execution-context.js';
import { ExecutionService } from '../../execution/execution.service.js';
import { KillSwitches } from '../../execution/operations/kill-switches.service.js';
import { CarrelError } from '../../shared/errors.js';
import { whyNotUserId, type RunId, type UserId } from '../../shared/ids.js';
import { CHECKED } from '../checked.pipe.js';
import { EventPages } from '../event-pages.service.js';
import { EventPageQuery } from '../events.query.js';
import { RUN_ID } from '../id-pipes.js';
import { toListView, type ListView } from '../list-view.js';
import { ApiParam, ApiTags, Documented } from '../openapi/api-decorators.js';
import { RUN_ID_PARAM } from '../openapi/path-params.js';
import { RunPageQuery } from '../run-list.query.js';
import { toRunView, type RunView } from '../run-view.js';
import { CurrentOperator, NEEDS_ROLE } from './operator.decorator.js';

const AUDITED = `${NEEDS_ROLE} Read-only, and written down before it is answered: \`GET /v1/admin/audit\`.`;
const USER_ID_PARAM = { name: 'userId', schema: { type: 'string' }, example: 'alice' } as const;

/** As everywhere an id that nobody can have is answered like one of nobody. */
const USER_ID: PipeTransform<string, UserId> = {
  transform(value) {
    if (whyNotUserId(value)) throw new CarrelError('not_found', 'there is no such user');
    return value as UserId;
  },
};

/** One user's runs as that user sees them, for an operator who helps them. */
@ApiTags('Operators')
@Controller('v1/admin/users/:userId/runs')
export class UserRunsController {
  constructor(
    private readonly execution: ExecutionService,
    private readonly switches: KillSwitches,
    private readonly pages: EventPages,
  ) {}

  @Documented({
    summary: "A user's runs",
    description: AUDITED,
    answers: { 200: { description: 'A page of them, the newest first.', schema: 'RunList' } },
    problems: ['forbidden', 'invalid_request', 'not_found'],
  })
  @ApiParam(USER_ID_PARAM)
  @Get()
  async list(
    @CurrentOperator() operator: UserExecutionContext,
    @Param('userId', USER_ID) userId: UserId,
    @Query(CHECKED) { limit, cursor, status }: RunPageQuery,
  ): Promise<ListView<RunView>> {
    await this.switches.recordView(operator, userId, { action: 'user_runs_viewed' });
    const user = this.execution.contextFor(userId);
    return toListView(await this.execution.list(user, { status }, { limit, cursor }), toRunView);
  }

  @Documented({
    summary: "One of a user's runs",
    description: AUDITED,
    answers: { 200: { description: 'The run as its owner sees it.', schema: 'Run' } },
    problems: ['forbidden', 'not_found'],
  })
  @ApiParam(USER_ID_PARAM)
  @ApiParam(RUN_ID_PARAM)
  @Get(':id')
  async find(
    @CurrentOperator() operator: UserExecutionContext,
    @Param('userId', USER_ID) userId: UserId,
    @Param('id', RUN_ID) runId: RunId,
  ): Promise<RunView> {
    await this.switches.recordView(operator, userId, { action: 'user_run_viewed', runId });
    return toRunView(await this.execution.find(this.execution.contextFor(userId), runId));
  }

  @Documented({
    summary: "A page of the events of one of a user's runs",
    description: AUDITED,
    answers: { 200: { description: 'Whole envelopes, as its owner sees them.', schema: 'EventPage' } },
    problems: ['forbidden', 'invalid_request', 'not_found'],
  })
  @ApiParam(USER_ID_PARAM)
  @ApiParam(RUN_ID_PARAM)
  @Get(':id/events')
  @Header('content-type', 'application/json; charset=utf-8')
  async events(
    @CurrentOperator() operator: UserExecutionContext,
    @Param('userId', USER_ID) userId: UserId,
    @Param('id', RUN_ID) runId: RunId,
    @Query(CHECKED) { after, limit }: EventPageQuery,
  ): Promise<string> {
    await this.switches.recordView(operator, userId, { action: 'user_run_viewed', runId });
    await this.execution.find(this.execution.contextFor(userId), runId);
    return this.pages.page(userId, { after, limit, runId });
  }
}
