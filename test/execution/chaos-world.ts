import { Global, Module, type Type } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CARREL_CONFIG, type CarrelConfig } from '../../src/config/config.js';
import { loadConfig } from '../../src/config/load-config.js';
import { ContextModule } from '../../src/context/context.module.js';
import { UserExecutionContext } from '../../src/context/user-execution-context.js';
import { InProcessDispatcher } from '../../src/dispatch/in-process.dispatcher.js';
import { EVENT_JOURNAL } from '../../src/events/event-journal.port.js';
import type { RunEvent } from '../../src/events/run-event.js';
import { APPROVAL_STORE } from '../../src/execution/approval-store.port.js';
import { ApprovalService } from '../../src/execution/approval.service.js';
import { ExecutionEngineFactory } from '../../src/execution/execution-engine.factory.js';
import { ExecutionModule } from '../../src/execution/execution.module.js';
import { ExecutionService } from '../../src/execution/execution.service.js';
import { HealthParts } from '../../src/execution/health-parts.js';
import { BUDGET_STORE } from '../../src/execution/models/budget-store.port.js';
import { NodeIdentity } from '../../src/execution/node-identity.js';
import { NODE_REGISTRY } from '../../src/execution/node-registry.port.js';
import { OPERATIONS_STORE } from '../../src/execution/operations/operations-store.port.js';
import { Tracing } from '../../src/execution/tracing/tracing.service.js';
import { RUN_DISPATCHER } from '../../src/execution/run-dispatcher.port.js';
import { RUN_STORE } from '../../src/execution/run-store.port.js';
import { SCHEDULE_STORE } from '../../src/execution/schedule-store.port.js';
import { THREAD_STORE } from '../../src/execution/thread-store.port.js';
import { USAGE_STORE } from '../../src/execution/usage-store.port.js';
import { CLOCK } from '../../src/shared/clock.js';
import { newId, type RunId, type UserId } from '../../src/shared/ids.js';
import { SqliteStorage } from '../../src/storage/sqlite/sqlite-storage.js';
import { HeldClock } from '../contracts/storage-world.js';

/** The whole execution as a server has it, storage and dispatcher included, in a time that the test moves. */
export class ChaosWorld implements AsyncDisposable {
  private constructor(
    private readonly module: TestingModule,
    readonly storage: SqliteStorage,
    readonly clock: HeldClock,
    readonly config: CarrelConfig,
    /** Timers of a server that has nothing to do. */
    readonly idleTimers: number,
  ) {}

  static async open(agents: readonly Type[], env: Record<string, string>): Promise<ChaosWorld> {
    const clock = new HeldClock();
    const dir = await mkdtemp(join(tmpdir(), 'carrel-chaos-'));
    const config = loadConfig({ ...env, CARREL_DATA_DIR: dir });
    const storage = new SqliteStorage({ dir, sync: 'normal' }, clock);
    const providers = [
      { provide: CARREL_CONFIG, useValue: config },
      { provide: CLOCK, useValue: clock },
      { provide: RUN_DISPATCHER, useClass: InProcessDispatcher },
      { provide: RUN_STORE, useValue: storage.runs },
      { provide: THREAD_STORE, useValue: storage.threads },
      { provide: EVENT_JOURNAL, useValue: storage.journal },
      { provide: USAGE_STORE, useValue: storage.usage },
      { provide: APPROVAL_STORE, useValue: storage.approvals },
      { provide: SCHEDULE_STORE, useValue: storage.schedules },
      { provide: OPERATIONS_STORE, useValue: storage.operations },
      { provide: BUDGET_STORE, useValue: storage.budgets },
      { provide: NODE_REGISTRY, useValue: storage.nodes },
      { provide: NodeIdentity, useClass: NodeIdentity },
      { provide: HealthParts, useClass: HealthParts },
      { provide: Tracing, useFactory: () => Tracing.open(config) },
    ];
    @Global()
    @Module({ providers, exports: providers.map(({ provide }) => provide) })
    class Platform {}
    @Module({ providers: [...agents] })
    class Agents {}
    const module = await Test.createTestingModule({
      imports: [Platform, ContextModule, ExecutionModule, Agents],
    }).compile();
    module.useLogger(false);
    await module.init();
    await settled();
    return new ChaosWorld(module, storage, clock, config, clock.pending.length);
  }

  get execution(): ExecutionService {
    return this.module.get(ExecutionService);
  }

  get approvals(): ApprovalService {
    return this.module.get(ApprovalService);
  }

  get factory(): ExecutionEngineFactory {
    return this.module.get(ExecutionEngineFactory);
  }

  get<Service>(token: Type<Service>): Service {
    return this.module.get(token);
  }

  as(userId: UserId): UserExecutionContext {
    return new UserExecutionContext({ userId, roles: [], requestId: newId('req'), createdAtMs: this.clock.now() });
  }

  async journal(userId: UserId, runId: RunId): Promise<RunEvent[]> {
    const { items } = await this.storage.journal.read(userId, { after: 0, limit: 100_000, runId });
    return items.map(({ json }) => JSON.parse(json) as RunEvent);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.module.close();
    this.storage.close();
    await rm(this.config.data.dir, { recursive: true, force: true });
  }
}

/** Until what follows by itself from what was done has happened. */
export async function settled(turns = 12): Promise<void> {
  for (let i = 0; i < turns; i++) await new Promise(setImmediate);
}
