import { Module } from '@nestjs/common';
import { AgentsModule } from '../agents/agents.module.js';
import { EventBus } from '../events/event-bus.js';
import { ExecutionEngineFactory } from './execution-engine.factory.js';
import { ExecutionLifecycle } from './execution-lifecycle.service.js';
import { CircuitBreakers } from './circuit-breakers.js';
import { ExecutionService } from './execution.service.js';
import { Readiness } from './readiness.js';
import { RecoveryService } from './recovery.service.js';
import { RunRecorder } from './run-recorder.service.js';
import { RunRunner } from './run-runner.service.js';

/** Everything that carries out runs. Its ports (store, journal, dispatcher) come from the composition root. */
@Module({
  imports: [AgentsModule],
  providers: [
    EventBus,
    ExecutionEngineFactory,
    ExecutionLifecycle,
    ExecutionService,
    Readiness,
    CircuitBreakers,
    RecoveryService,
    RunRecorder,
    RunRunner,
  ],
  exports: [AgentsModule, EventBus, ExecutionEngineFactory, ExecutionLifecycle, ExecutionService, Readiness],
})
export class ExecutionModule {}
