import { Inject, Injectable } from '@nestjs/common';
import { CircuitBreakers } from '../../execution/circuit-breakers.js';
import { ExecutionEngineFactory } from '../../execution/execution-engine.factory.js';
import { HealthParts } from '../../execution/health-parts.js';
import { McpPool } from '../../execution/mcp/mcp-pool.service.js';
import { OPERATIONS_STORE, type OperationsStore } from '../../execution/operations/operations-store.port.js';
import { Switchboard } from '../../execution/operations/switchboard.js';
import { Readiness } from '../../execution/readiness.js';
import { RunRunner } from '../../execution/run-runner.service.js';
import { ConnectionsOf } from '../connections-of.service.js';
import { IsolationWatch } from '../isolation-watch.service.js';

/** Who knows the figures. */
@Injectable()
export class GaugeSources {
  constructor(
    readonly runner: RunRunner,
    readonly factory: ExecutionEngineFactory,
    readonly connections: ConnectionsOf,
    readonly breakers: CircuitBreakers,
    readonly pool: McpPool,
    readonly switchboard: Switchboard,
    readonly readiness: Readiness,
    readonly health: HealthParts,
    readonly isolation: IsolationWatch,
    @Inject(OPERATIONS_STORE) readonly operations: OperationsStore,
  ) {}
}
