import { Module } from '@nestjs/common';
import { AgentsModule } from '../agents/agents.module.js';
import { ApprovalService } from './approval.service.js';
import { DueRuns } from './due-runs.service.js';
import { DueSchedules } from './due-schedules.service.js';
import { DueWork } from './due-work.service.js';
import { EngineServices } from './engine-services.js';
import { McpExecutionService } from './mcp/mcp-execution.service.js';
import { RequestAnalysisModule } from './mcp/analysis/request-analysis.module.js';
import { HooksModule } from './hooks/hooks.module.js';
import { McpModule } from './mcp/mcp.module.js';
import { PipelineModule } from './pipeline/pipeline.module.js';
import { MetricsModule } from './metrics/metrics.module.js';
import { OperationsModule } from './operations/operations.module.js';
import { ExecutionEngineFactory } from './execution-engine.factory.js';
import { ExecutionLifecycle, LifecycleParts } from './execution-lifecycle.service.js';
import { CircuitBreakers } from './circuit-breakers.js';
import { ExecutionService } from './execution.service.js';
import { NodeLife } from './node-life.service.js';
import { Readiness } from './readiness.js';
import { RecoveryService } from './recovery.service.js';
import { RunQuestions } from './run-questions.service.js';
import { RunRecorder } from './run-recorder.service.js';
import { RunIntake } from './run-intake.service.js';
import { RunPreparation } from './run-preparation.service.js';
import { RunRunner } from './run-runner.service.js';
import { RunSweep } from './run-sweep.service.js';
import { RunWaiter } from './run-waiter.service.js';
import { ScheduleRunner } from './schedule-runner.service.js';
import { ScheduleService } from './schedule.service.js';
import { ScheduleTurns } from './schedule-turns.js';
import { ToolsModule } from './tools/tools.module.js';

/** Everything that carries out runs. Its ports (store, journal, dispatcher) come from the composition root. */
@Module({
  imports: [
    AgentsModule,
    HooksModule,
    McpModule,
    MetricsModule,
    OperationsModule,
    PipelineModule,
    RequestAnalysisModule,
    ToolsModule,
  ],
  providers: [
    ApprovalService,
    DueRuns,
    DueSchedules,
    DueWork,
    ExecutionEngineFactory,
    ExecutionLifecycle,
    ExecutionService,
    LifecycleParts,
    NodeLife,
    Readiness,
    CircuitBreakers,
    EngineServices,
    McpExecutionService,
    RecoveryService,
    RunQuestions,
    RunRecorder,
    RunIntake,
    RunPreparation,
    RunRunner,
    RunSweep,
    RunWaiter,
    ScheduleRunner,
    ScheduleService,
    ScheduleTurns,
  ],
  exports: [
    AgentsModule,
    ApprovalService,
    DueWork,
    CircuitBreakers,
    ExecutionEngineFactory,
    ExecutionLifecycle,
    ExecutionService,
    McpExecutionService,
    McpModule,
    MetricsModule,
    OperationsModule,
    PipelineModule,
    Readiness,
    RunQuestions,
    RunRunner,
    ScheduleService,
    ToolsModule,
  ],
})
export class ExecutionModule {}
