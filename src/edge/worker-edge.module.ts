import { Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { ExecutionModule } from '../execution/execution.module.js';
import { ConnectionsOf } from './connections-of.service.js';
import { HealthController } from './health.controller.js';
import { HttpIdentity } from './http-identity.js';
import { HttpLogging } from './http-logging.js';
import { HttpTraces } from './http-traces.js';
import { IsolationWatch } from './isolation-watch.service.js';
import { GaugeSources } from './metrics/gauge-sources.service.js';
import { MetricsController } from './metrics/metrics.controller.js';
import { ServerGauges } from './metrics/server-gauges.service.js';
import { ProblemFilter } from './problem.filter.js';
import { RouteMethods } from './route-methods.service.js';
import { TokenVerifier } from './token-verifier.service.js';
import { WorkerShutdown } from './worker-shutdown.service.js';

const NO_CONNECTIONS: Pick<ConnectionsOf, 'everybody'> = { everybody: () => ({ sockets: 0, streams: 0 }) };
const NOTHING_TO_FIND: Pick<IsolationWatch, 'violations'> = { violations: () => 0 };

/** The doors of a node that only carries out runs: for machines that watch it, and for no user. */
@Module({
  imports: [ExecutionModule],
  controllers: [HealthController, MetricsController],
  providers: [
    TokenVerifier,
    HttpIdentity,
    HttpLogging,
    HttpTraces,
    RouteMethods,
    { provide: APP_FILTER, useClass: ProblemFilter },
    { provide: ConnectionsOf, useValue: NO_CONNECTIONS },
    { provide: IsolationWatch, useValue: NOTHING_TO_FIND },
    GaugeSources,
    ServerGauges,
    WorkerShutdown,
  ],
  exports: [ExecutionModule, TokenVerifier],
})
export class WorkerEdgeModule {}
