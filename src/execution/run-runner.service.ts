import { Inject, Injectable, Logger } from '@nestjs/common';
import { AgentRegistry } from '../agents/agent-registry.service.js';
import { CARREL_CONFIG, type CarrelConfig } from '../config/config.js';
import { UserExecutionContext } from '../context/user-execution-context.js';
import type { RunEmitter } from '../events/run-emitter.js';
import type { StepRecord } from '../events/step-record.js';
import { CLOCK, type Clock } from '../shared/clock.js';
import { isCarrelError } from '../shared/errors.js';
import type { RunId, UserId } from '../shared/ids.js';
import { currentLogScope, runInLogScope } from '../shared/log-scope.js';
import { ActiveRun } from './active-run.js';
import type { AgentExecutionResult } from './agent-execution-result.js';
import { ExecutionEngineFactory } from './execution-engine.factory.js';
import { RunMeter } from './metrics/run-meter.service.js';
import { PipelineService } from './pipeline/pipeline.service.js';
import type { RunConsumer } from './run-dispatcher.port.js';
import { toRunError } from './run-failure.js';
import { RunRecorder } from './run-recorder.service.js';
import type { ClaimedRun, RunRecord, RunRef, Suspension, UnfinishedRun } from './run-store.port.js';
import { Tracing } from './tracing/tracing.service.js';
import { RunInterrupted, RunSuspended, type UserExecutionEngine } from './user-execution-engine.js';

/**
 * A run that has crashed this often may be what ends the process, and is not begun again. A crash raises the attempt by one
 * and the fence by two; a retry raises the attempt alone, and whoever comes back from a suspension the fence alone.
 */
const MAX_CRASHES = 10;

/** Takes runs from the dispatcher and carries them from claim to recorded end. Every way out releases what it took. */
@Injectable()
export class RunRunner implements RunConsumer {
  private readonly logger = new Logger('Run');
  private readonly active = new Map<RunId, ActiveRun>();
  private idle = Promise.withResolvers<void>();
  /** The other nodes take this one for dead. */
  private isLost = false;
  /** Few, and rare: the storage has failed for long. */
  private givenUp: UnfinishedRun[] = [];

  constructor(
    private readonly recorder: RunRecorder,
    private readonly factory: ExecutionEngineFactory,
    private readonly registry: AgentRegistry,
    private readonly pipelines: PipelineService,
    private readonly meter: RunMeter,
    private readonly tracing: Tracing,
    @Inject(CARREL_CONFIG) private readonly config: CarrelConfig,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** True while this process holds the run. */
  holds(runId: RunId): boolean {
    return this.active.has(runId);
  }

  get activeCount(): number {
    return this.active.size;
  }

  /** All runs that are under way in this process. */
  get activeRefs(): RunRef[] {
    return [...this.active.values()].map(({ ref }) => ref);
  }

  /** This user's runs that are under way in this process. */
  activeOf(userId: UserId): RunId[] {
    return [...this.active.values()].filter(({ ref }) => ref.userId === userId).map(({ ref }) => ref.runId);
  }

  /** Resolves when no run is under way here. */
  async whenIdle(): Promise<void> {
    while (this.active.size > 0) await this.idle.promise;
  }

  /** Not `async`, for the reason that `carryOut` is not. */
  run(ref: RunRef, claimed?: ClaimedRun): Promise<void> {
    if (this.isLost) return Promise.resolve(); // the sweep of a node that lives finds it
    const current = this.active.get(ref.runId);
    if (current) {
      // it may have been suspended and answered already, and be about to leave
      current.isDueAgain = true;
      return Promise.resolve();
    }
    const active = new ActiveRun(ref);
    this.active.set(ref.runId, active);
    return this.carriedOut(active, claimed).then(
      () => this.goOn(active),
      (error: unknown) => this.goOn(active, { error }),
    );
  }

  /** Runs whose end could not be written, though the storage has them as this process's. Each is given out once. */
  takeGivenUp(): readonly UnfinishedRun[] {
    return this.givenUp.splice(0);
  }

  cancel(ref: RunRef, by: string): void {
    const active = this.active.get(ref.runId);
    if (!active) return;
    active.cancelAskedAtMs ??= this.clock.now();
    active.stop({ kind: 'cancelled', by });
  }

  answered(ref: RunRef): void {
    const active = this.active.get(ref.runId);
    if (!active) return;
    this.recorder.steps(ref).then(
      (records) => active.answered(records),
      (err: unknown) => this.logger.error({ err, ...ref }, 'an answer could not be read; it is when the run suspends'),
    );
  }

  /** Stops everything that is under way, because the process is about to end. */
  interruptAll(): void {
    this.recorder.hurry();
    for (const active of this.active.values()) active.stop({ kind: 'interrupted' });
  }

  /**
   * This process has lost what it carries, since the others take it for dead: stops all of it, and writes nothing more of it.
   * Resolves when nothing is under way; nothing begins until `resume`.
   */
  async abandonAll(): Promise<void> {
    this.isLost = true;
    for (const active of this.active.values()) active.abandon();
    await this.whenIdle();
  }

  resume(): void {
    this.isLost = false;
  }

  contextOf(run: RunRecord): UserExecutionContext {
    const { requestId, roles, claims, clientIp, userAgent, traceId, traceparent } = run.origin;
    const timeoutMs = this.deadlineMsOf(run) ?? this.config.runs.deadlineMs;
    return new UserExecutionContext({
      userId: run.userId,
      requestId,
      roles,
      claims,
      threadId: run.threadId,
      runId: run.id,
      attempt: run.attempt,
      createdAtMs: run.createdAtMs,
      deadlineMs: (run.startedAtMs ?? this.clock.now()) + run.suspendedMs + timeoutMs,
      metadata: run.metadata,
      audit: { clientIp, userAgent, traceId, traceparent },
    });
  }

  /** Whether a run that was interrupted is carried out again: only when its agent says that this is harmless, as a pipeline is. */
  mayGoOnLater(run: RunRecord): boolean {
    const harmless = run.pipeline !== undefined || this.registry.find(run.agent)?.effect === 'idempotent';
    return harmless && Math.min(run.attempt, run.fence / 2) < MAX_CRASHES;
  }

  private deadlineMsOf({ agent, pipeline }: RunRecord): number | undefined {
    if (pipeline === undefined) return this.registry.find(agent)?.deadlineMs;
    return typeof pipeline === 'string' ? this.pipelines.deadlineMsOf(pipeline) : undefined;
  }

  /**
   * The run leaves, or comes in again.
   *
   * @throws what it failed with, when that is not the run's business
   */
  private goOn(active: ActiveRun, failed?: { error: unknown }): Promise<void> | undefined {
    try {
      if (failed && !active.isAbandoned) this.giveUp(active, failed.error);
    } finally {
      this.leave(active);
    }
    return active.isDueAgain && !this.isLost ? this.run(active.ref) : undefined;
  }

  private leave({ ref, cancelAskedAtMs }: ActiveRun): void {
    this.active.delete(ref.runId);
    if (cancelAskedAtMs !== undefined) this.meter.cancelled(cancelAskedAtMs);
    if (this.active.size > 0) return;
    this.idle.resolve();
    this.idle = Promise.withResolvers();
  }

  /** @throws what is not the run's business */
  private giveUp({ ref, claimed }: ActiveRun, error: unknown): void {
    if (isCarrelError(error) && error.code === 'run_closed') {
      return this.logger.warn({ ...ref }, 'the run was ended or taken over by another process');
    }
    if (claimed) this.givenUp.push({ ...ref, status: 'running', fence: claimed.fence });
    throw error;
  }

  private carriedOut(active: ActiveRun, claimed?: ClaimedRun): Promise<void> {
    try {
      return this.carryOut(active, claimed);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Not `async`, as others on the way of a run: each such function in it is a promise more for every run in flight. */
  private carryOut(active: ActiveRun, claimed?: ClaimedRun): Promise<void> {
    if (claimed) return this.begin(active, claimed);
    // if not: it was cancelled while it waited, or another process has it
    return this.recorder.claim(active.ref).then((run) => run && this.begin(active, run));
  }

  private begin(active: ActiveRun, run: ClaimedRun): Promise<void> {
    const { userId, runId } = active.ref;
    active.claimed = run;
    if (!run.resumed) this.meter.began(run);
    if (run.cancelRequestedBy) active.stop({ kind: 'cancelled', by: run.cancelRequestedBy });
    const { requestId } = run.origin;
    const execute = () =>
      this.tracing.isOn ? this.tracing.run(run, () => this.execute(active, run)) : this.execute(active, run);
    const ids = currentLogScope(); // a run that came claimed is in its scope already
    if (ids?.runId === runId && ids.requestId === requestId) return execute();
    return runInLogScope({ userId, runId, requestId }, execute);
  }

  /** Once, or, when it was to be suspended and is answered already, again from the top. */
  private async execute(active: ActiveRun, run: ClaimedRun): Promise<void> {
    let recorded = run.hasSteps ? await this.recorder.steps(active.ref) : [];
    for (;;) {
      const emitter = this.recorder.emitterFor(run, (error) => active.stop({ kind: 'lost', error }));
      const context = this.contextOf(run);
      let end: AgentExecutionResult | RunInterrupted | RunSuspended;
      let engine: UserExecutionEngine | undefined;
      try {
        engine = this.factory.createUserEngine(context, emitter, recorded);
        active.attach(engine);
        end = await this.resultOf(engine, run);
      } catch (error) {
        end = this.endByError(error, run, context);
      } finally {
        await engine?.[Symbol.asyncDispose]();
      }
      if (active.isAbandoned) return this.leaveBe(run, emitter);
      if (end instanceof RunInterrupted) return this.recorder.putBack(run, emitter, end.attempt);
      if (!(end instanceof RunSuspended)) return this.recorder.end(run, emitter, end);
      const answered = await this.suspend(run, emitter, context, end);
      if (!answered) return;
      recorded = atRest(await this.recorder.steps(active.ref), answered);
    }
  }

  private async leaveBe({ agent, attempt }: ClaimedRun, emitter: RunEmitter): Promise<void> {
    await emitter.close();
    this.logger.warn({ agent, attempt }, 'the run is left to the other nodes');
  }

  private resultOf(engine: UserExecutionEngine, run: ClaimedRun): Promise<AgentExecutionResult> {
    if (run.pipeline === undefined) return engine.executeAgent(run.agent, run.input);
    return this.pipelines.resolve(run.pipeline).then((plan) => engine.executePipeline(plan, run.input));
  }

  /** What has no result: it goes on later, or has failed. */
  private endByError(error: unknown, run: ClaimedRun, context: UserExecutionContext) {
    if (error instanceof RunSuspended) return error;
    const isInterrupted = error instanceof RunInterrupted;
    if (isInterrupted && this.mayGoOnLater(run)) return error;
    const attempt = isInterrupted ? error.attempt : run.attempt;
    return { context, attempt, status: 'failed', error: toRunError(error, run) } as const;
  }

  /** @returns what the run was to wait for, when it must go on instead */
  private async suspend(
    run: ClaimedRun,
    emitter: RunEmitter,
    context: UserExecutionContext,
    suspended: RunSuspended,
  ): Promise<Suspension | undefined> {
    const outcome = await this.recorder.suspend(run, emitter, suspended);
    if (outcome === 'answered') return suspended.suspension;
    if (outcome === 'suspended') return undefined;
    await this.recorder.end(run, emitter, { context, attempt: suspended.attempt, ...outcome });
    return undefined;
  }
}

/** The steps as the store would have them if the run had been suspended. */
function atRest(records: readonly StepRecord[], { interrupted = [] }: Suspension): StepRecord[] {
  return records.map((record) =>
    record.state === 'started' && !interrupted.includes(record.path) ? { ...record, state: 'waiting' } : record,
  );
}
