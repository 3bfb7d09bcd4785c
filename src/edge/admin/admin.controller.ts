import { Controller, Get, Inject, Query } from '@nestjs/common';
import { CARREL_CONFIG, type CarrelConfig } from '../../config/config.js';
import type { UserExecutionContext } from '../../context/user-execution-context.js';
import { ExecutionEngineFactory } from '../../execution/execution-engine.factory.js';
import {
  OPERATIONS_STORE,
  type BusyUser,
  type OperationsStore,
} from '../../execution/operations/operations-store.port.js';
import { RunMeter } from '../../execution/metrics/run-meter.service.js';
import { RunRunner } from '../../execution/run-runner.service.js';
import { CLOCK, type Clock } from '../../shared/clock.js';
import { CHECKED } from '../checked.pipe.js';
import { ConnectionsOf } from '../connections-of.service.js';
import { toListView, type ListView } from '../list-view.js';
import { ApiTags, Documented } from '../openapi/api-decorators.js';
import { PageQuery } from '../page.query.js';
import { isoTime } from '../run-view.js';
import { CurrentOperator, NEEDS_ROLE } from './operator.decorator.js';
import { QuietRunsQuery } from './quiet-runs.query.js';

/** How the server is, for whoever runs it. What users said and got is not in here. */
@ApiTags('Operators')
@Controller('v1/admin')
export class AdminController {
  constructor(
    private readonly factory: ExecutionEngineFactory,
    private readonly runner: RunRunner,
    private readonly connections: ConnectionsOf,
    @Inject(OPERATIONS_STORE) private readonly operations: OperationsStore,
    private readonly meter: RunMeter,
    @Inject(CARREL_CONFIG) private readonly config: CarrelConfig,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Documented({
    summary: 'What this process carries out now',
    description: NEEDS_ROLE,
    answers: { 200: { description: 'Totals over all users.', schema: 'ExecutionFigures' } },
    problems: ['forbidden'],
  })
  @Get('execution')
  execution(@CurrentOperator() _operator: UserExecutionContext) {
    const { liveContexts, ...engines } = this.factory.report();
    const runs = { active: this.runner.activeCount, slots: this.config.runs.slots };
    const deliveryLagMs = this.meter.deliveryLag();
    return { runs, engines, liveContexts, ...this.connections.everybody(), ...(deliveryLagMs && { deliveryLagMs }) };
  }

  @Documented({
    summary: 'Whose lanes are in use',
    description: `${NEEDS_ROLE} Of all processes. Who has most waiting comes first; runs that are held for their thread or their time are not counted.`,
    answers: { 200: { description: 'A page of them.', schema: 'LaneList' } },
    problems: ['forbidden', 'invalid_request'],
  })
  @Get('lanes')
  async lanes(
    @CurrentOperator() _operator: UserExecutionContext,
    @Query(CHECKED) { limit, cursor }: PageQuery,
  ): Promise<ListView<BusyUser>> {
    return toListView(await this.operations.busyUsers({ limit, cursor }), (user) => user);
  }

  @Documented({
    summary: 'Runs that give no sign',
    description: `${NEEDS_ROLE} Of all users and processes: runs that hold a place in their lane and whose last event is longer ago than \`quietForMs\`. The quietest come first.`,
    answers: { 200: { description: 'Which they are, and nothing of what is in them.', schema: 'QuietRunList' } },
    problems: ['forbidden', 'invalid_request'],
  })
  @Get('stuck-runs')
  async stuckRuns(
    @CurrentOperator() _operator: UserExecutionContext,
    @Query(CHECKED) { limit, quietForMs }: QuietRunsQuery,
  ) {
    const now = this.clock.now();
    const runs = await this.operations.quietRuns(now - quietForMs, limit);
    return {
      items: runs.map(({ lastSignMs, ...run }) => ({
        ...run,
        lastSignAt: isoTime(lastSignMs),
        quietForMs: now - lastSignMs,
      })),
    };
  }
}
