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
import type { NewApproval } from '../../src/events/approval-record.js';
import { EVENT_JOURNAL } from '../../src/events/event-journal.port.js';
import { draftEvent, type EventDraft } from '../../src/events/run-event.js';
import { APPROVAL_STORE } from '../../src/execution/approval-store.port.js';
import { ApprovalService } from '../../src/execution/approval.service.js';
import { DueWork } from '../../src/execution/due-work.service.js';
import { ExecutionLifecycle } from '../../src/execution/execution-lifecycle.service.js';
import { ExecutionModule } from '../../src/execution/execution.module.js';
import { ExecutionService } from '../../src/execution/execution.service.js';
import { HealthParts } from '../../src/execution/health-parts.js';
import { BUDGET_STORE } from '../../src/execution/models/budget-store.port.js';
import { NodeIdentity } from '../../src/execution/node-identity.js';
import { NODE_REGISTRY } from '../../src/execution/node-registry.port.js';
import { OPERATIONS_STORE } from '../../src/execution/operations/operations-store.port.js';
import { Tracing } from '../../src/execution/tracing/tracing.service.js';
import { RUN_DISPATCHER, type RunConsumer } from '../../src/execution/run-dispatcher.port.js';
import type { TerminalStatus } from '../../src/execution/run-status.js';
import { RUN_STORE, type ClaimedRun, type RunRecord, type RunRef } from '../../src/execution/run-store.port.js';
import { SCHEDULE_STORE } from '../../src/execution/schedule-store.port.js';
import { ScheduleService } from '../../src/execution/schedule.service.js';
import { THREAD_STORE } from '../../src/execution/thread-store.port.js';
import { USAGE_STORE } from '../../src/execution/usage-store.port.js';
import { CLOCK } from '../../src/shared/clock.js';
import { newId, type RunId, type UserId } from '../../src/shared/ids.js';
import { SqliteStorage } from '../../src/storage/sqlite/sqlite-storage.js';
import { HeldClock, opening, outcomeOf, terminalDraft } from '../contracts/storage-world.js';
import { ScriptedAgentsModule } from '../scripted-agents.module.js';

/** Holds what it is given until the test says how it ends. */
class StagedConsumer implements RunConsumer {
  readonly begun: ClaimedRun[] = [];
  readonly told: string[] = [];
  private readonly slots = new Map<RunId, () => void>();

  constructor(private readonly storage: SqliteStorage) {}

  async run({ userId, runId }: RunRef, claimed?: RunRecord): Promise<void> {
    const run = (claimed as ClaimedRun | undefined) ?? (await this.storage.runs.claim(userId, runId, opening));
    if (!run) return;
    this.begun.push(run);
    await new Promise<void>((resolve) => this.slots.set(runId, resolve));
  }

  cancel({ userId, runId }: RunRef, by: string): void {
    this.told.push(`cancel ${userId}'s ${runId} by ${by}`);
  }

  answered({ userId, runId }: RunRef): void {
    this.told.push(`answered ${userId}'s ${runId}`);
  }

  /** The run that was begun last of this id. */
  claimed(runId: RunId): ClaimedRun {
    const run = this.begun.findLast(({ id }) => id === runId);
    if (!run) throw new Error(`${runId} was not begun`);
    return run;
  }

  free(runId: RunId): void {
    this.slots.get(runId)?.();
  }
}

/**
 * The services on a real storage and the real dispatcher, with a clock that the test moves. Runs do nothing until the test
 * ends or suspends them.
 */
export class ServicesWorld implements AsyncDisposable {
  readonly consumer: StagedConsumer;

  private constructor(
    private readonly module: TestingModule,
    readonly storage: SqliteStorage,
    readonly clock: HeldClock,
    readonly config: CarrelConfig,
    private readonly ownsDir: boolean,
  ) {
    this.consumer = new StagedConsumer(storage);
  }

  static async open(
    options: {
      dir?: string;
      env?: Record<string, string>;
      clock?: HeldClock;
      agents?: readonly Type[];
      /** What the storage is to do otherwise than a real one, before anything works on it. */
      stage?: (storage: SqliteStorage) => void;
    } = {},
  ): Promise<ServicesWorld> {
    const { clock = new HeldClock(), agents = [ScriptedAgentsModule] } = options;
    const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'carrel-services-')));
    const config = loadConfig({ ...options.env, CARREL_DATA_DIR: dir });
    const storage = new SqliteStorage({ dir, sync: 'normal' }, clock);
    options.stage?.(storage);
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
    const module = await Test.createTestingModule({ imports: [Platform, ContextModule, ExecutionModule, ...agents] })
      .overrideProvider(ExecutionLifecycle)
      .useValue({}) // the test is what carries runs out
      .compile();
    module.useLogger(false);
    const world = new ServicesWorld(module, storage, clock, config, options.dir === undefined);
    await module.init();
    await module.get<InProcessDispatcher>(RUN_DISPATCHER).start(world.consumer);
    await world.settled();
    return world;
  }

  get execution(): ExecutionService {
    return this.module.get(ExecutionService);
  }

  get approvals(): ApprovalService {
    return this.module.get(ApprovalService);
  }

  get schedules(): ScheduleService {
    return this.module.get(ScheduleService);
  }

  get<Service>(token: Type<Service>): Service {
    return this.module.get(token);
  }

  as(userId: UserId, roles: readonly string[] = []): UserExecutionContext {
    return new UserExecutionContext({ userId, roles, requestId: newId('req'), createdAtMs: this.clock.now() });
  }

  /** Until what follows by itself from what was done has happened. */
  async settled(): Promise<void> {
    for (let i = 0; i < 30; i++) await new Promise(setImmediate);
  }

  async passes(ms: number): Promise<void> {
    this.clock.advance(ms);
    await this.settled();
  }

  /** Ids of the runs that have begun, in their order. */
  get begun(): RunId[] {
    return this.consumer.begun.map(({ id }) => id);
  }

  async end(runId: RunId, status: TerminalStatus = 'completed'): Promise<void> {
    const { userId, fence } = this.consumer.claimed(runId);
    const now = this.clock.now();
    const drafts = [terminalDraft(status, now)];
    const { lane } = this.config;
    const { admitted } = await this.storage.runs.finish(userId, runId, fence, outcomeOf(status, now), drafts, lane);
    this.consumer.free(runId);
    for (const ref of admitted) await this.module.get<InProcessDispatcher>(RUN_DISPATCHER).dispatch(ref);
    await this.settled();
  }

  /** Has a run ask something; it goes on running. */
  async ask(runId: RunId, over: Partial<NewApproval> = {}): Promise<NewApproval> {
    const { userId, fence } = this.consumer.claimed(runId);
    const question = this.question(over);
    await this.storage.journal.append(userId, runId, fence, [this.asking(question)]);
    return question;
  }

  /** Suspends a run, for questions that it has asked, or for a new one. */
  async suspend(runId: RunId, over: Partial<NewApproval> = {}): Promise<NewApproval> {
    const { userId, fence } = this.consumer.claimed(runId);
    const question = this.question(over);
    const facts = { attempt: 1, atMs: this.clock.now() };
    const until = new Date(question.expiresAtMs).toISOString();
    const events = [this.asking(question), draftEvent('agent_suspended', { waitsFor: 'answer', until }, facts)];
    await this.storage.runs.suspend(userId, runId, fence, { approvals: [question.id] }, events, this.config.lane);
    this.consumer.free(runId);
    this.module.get(DueWork).lookAgain(question.expiresAtMs);
    await this.settled();
    return question;
  }

  /** The process is gone, whatever it was about to do. */
  crash(): void {
    this.storage.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.module.close();
    this.storage.close();
    if (this.ownsDir) await rm(this.config.data.dir, { recursive: true, force: true });
  }

  private question(over: Partial<NewApproval>): NewApproval {
    return {
      id: newId('apr'),
      kind: 'approval',
      title: 'Pay?',
      approvers: [],
      hash: 'hash-1',
      expiresAtMs: this.clock.now() + 3_600_000,
      ...over,
    };
  }

  private asking(approval: NewApproval): EventDraft {
    const { id, kind, title, approvers, hash, schema, details, expiresAtMs } = approval;
    const path = `1:${id}`;
    const atMs = this.clock.now();
    const expiresAt = new Date(expiresAtMs).toISOString();
    const record = {
      path,
      kind: 'ask' as const,
      effect: 'read' as const,
      state: 'started' as const,
      attempts: 1,
      startedAtMs: atMs,
      untilMs: expiresAtMs,
      approval,
    };
    const data = { approvalId: id, kind, title, details, schema, approvers, hash, expiresAt };
    return draftEvent('approval_required', data, { attempt: 1, atMs, step: path, records: [record] });
  }
}
