import { Controller, Get, Inject } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { CARREL_CONFIG, type CarrelConfig } from '../config/config.js';
import type { UserExecutionContext } from '../context/user-execution-context.js';
import { ExecutionEngineFactory } from '../execution/execution-engine.factory.js';
import { RunRunner } from '../execution/run-runner.service.js';
import { CarrelError } from '../shared/errors.js';
import { ConnectionsOf } from './connections-of.service.js';
import { CurrentContext } from './current-context.decorator.js';
import { Documented } from './openapi/documented.decorator.js';

/** The role that a token must have for what is about the server and not about its user. */
const OPERATOR_ROLE = 'carrel:operator';

/** Figures of the process, for whoever runs it: totals only, nothing of anybody. */
@ApiTags('Operators')
@Controller('v1/admin')
export class AdminController {
  constructor(
    private readonly factory: ExecutionEngineFactory,
    private readonly runner: RunRunner,
    private readonly connections: ConnectionsOf,
    @Inject(CARREL_CONFIG) private readonly config: CarrelConfig,
  ) {}

  @Documented({
    summary: 'What this process carries out now',
    description: `Needs the role \`${OPERATOR_ROLE}\`.`,
    answers: { 200: { description: 'Totals over all users.', schema: 'ExecutionFigures' } },
    problems: ['forbidden'],
  })
  @Get('execution')
  execution(@CurrentContext() { roles }: UserExecutionContext) {
    if (!roles.includes(OPERATOR_ROLE)) {
      throw new CarrelError('forbidden', `this needs the role ${OPERATOR_ROLE}`);
    }
    const { liveContexts, ...engines } = this.factory.report();
    const runs = { active: this.runner.activeCount, slots: this.config.runs.slots };
    return { runs, engines, liveContexts, ...this.connections.everybody() };
  }
}
