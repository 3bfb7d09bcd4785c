import { Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { ExecutionModule } from '../execution/execution.module.js';
import { BudgetsModule } from '../execution/models/budgets.module.js';
import { AdminController } from './admin/admin.controller.js';
import { AuditController } from './admin/audit.controller.js';
import { NodesController } from './admin/nodes.controller.js';
import { SwitchesController } from './admin/switches.controller.js';
import { UserRunsController } from './admin/user-runs.controller.js';
import { AgentsController } from './agents.controller.js';
import { AgentsGateway } from './agents.gateway.js';
import { ApprovalsController } from './approvals.controller.js';
import { ConnectionsOf } from './connections-of.service.js';
import { AsyncApiController } from './asyncapi/asyncapi.controller.js';
import { ConsoleController } from './console/console.controller.js';
import { ConsoleSessions } from './console/console-session.service.js';
import { ErrorDocsController } from './error-docs.controller.js';
import { EventPages } from './event-pages.service.js';
import { EventStreams } from './event-streams.service.js';
import { EventsController } from './events.controller.js';
import { HealthController } from './health.controller.js';
import { HttpIdentity } from './http-identity.js';
import { HttpLogging } from './http-logging.js';
import { HttpTraces } from './http-traces.js';
import { IsolationCheck } from './isolation-check.service.js';
import { IsolationController } from './isolation.controller.js';
import { IsolationWatch } from './isolation-watch.service.js';
import { GaugeSources } from './metrics/gauge-sources.service.js';
import { MetricsController } from './metrics/metrics.controller.js';
import { ServerGauges } from './metrics/server-gauges.service.js';
import { McpController } from './mcp.controller.js';
import { MeController } from './me.controller.js';
import { MessagesController } from './messages.controller.js';
import { PipelinesController } from './pipelines.controller.js';
import { ProblemFilter } from './problem.filter.js';
import { RouteMethods } from './route-methods.service.js';
import { RunAgainController } from './run-again.controller.js';
import { RunsController } from './runs.controller.js';
import { SchedulesController } from './schedules.controller.js';
import { SocketAdmission } from './socket-admission.service.js';
import { SocketMessages } from './socket-messages.service.js';
import { SocketShutdown } from './socket-shutdown.service.js';
import { ThreadsController } from './threads.controller.js';
import { TokenVerifier } from './token-verifier.service.js';
import { ToolsController } from './tools.controller.js';
import { UsageController } from './usage.controller.js';
import { UserFeeds } from './user-feeds.service.js';

/** Both doors, HTTP and Socket.IO. All of it is singletons: who asks comes with each request and each message. */
@Module({
  imports: [ExecutionModule, BudgetsModule],
  controllers: [
    AdminController,
    AgentsController,
    ApprovalsController,
    AsyncApiController,
    ConsoleController,
    AuditController,
    ErrorDocsController,
    EventsController,
    HealthController,
    IsolationController,
    McpController,
    MeController,
    MessagesController,
    MetricsController,
    NodesController,
    PipelinesController,
    RunAgainController,
    RunsController,
    SchedulesController,
    SwitchesController,
    ThreadsController,
    ToolsController,
    UsageController,
    UserRunsController,
  ],
  providers: [
    ConsoleSessions,
    TokenVerifier,
    HttpIdentity,
    HttpLogging,
    HttpTraces,
    RouteMethods,
    { provide: APP_FILTER, useClass: ProblemFilter },
    EventPages,
    EventStreams,
    AgentsGateway,
    ConnectionsOf,
    GaugeSources,
    IsolationCheck,
    IsolationWatch,
    ServerGauges,
    SocketAdmission,
    SocketMessages,
    SocketShutdown,
    UserFeeds,
  ],
  exports: [ExecutionModule, TokenVerifier],
})
export class EdgeModule {}
