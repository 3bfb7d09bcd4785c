import { Inject, Injectable, Logger } from '@nestjs/common';
import { AgentRegistry } from '../agents/agent-registry.service.js';
import { CARREL_CONFIG, type CarrelConfig } from '../config/config.js';
import { UserExecutionContext } from '../context/user-execution-context.js';
import { bounded } from '../events/event-bounds.js';
import { EVENT_JOURNAL, type EventJournal } from '../events/event-journal.port.js';
import { RunEmitter } from '../events/run-emitter.js';
import { CLOCK, type Clock } from '../shared/clock.js';
import { isCarrelError } from '../shared/errors.js';
import type { RunId } from '../shared/ids.js';
import { runInLogScope } from '../shared/log-scope.js';
import type { AgentExecutionResult } from './agent-execution-result.js';
import { ExecutionEngineFactory } from './execution-engine.factory.js';
import { RUN_DISPATCHER, type RunConsumer, type RunDispatcher } from './run-dispatcher.port.js';
import { openingEvent, outcomeOf, terminalEvent } from './run-events.js';
import { toRunError } from './run-failure.js';
import { RUN_STORE, type RunRecord, type RunRef, type RunStore } from './run-store.port.js';
import type { StopReason } from './stop-reason.js';
import { untilStored } from './until-stored.js';
import { RunInterrupted, type UserExecutionEngine } from './user-execution-engine.js';

/** A run between its claim and its end. It can be stopped before it has an engine. */
class ActiveRun {
  private engine: UserExecutionEngine | undefined;
  private stopReason: StopReason | undefined;

  constructor(readonly ref: RunRef) {}

  stop(reason: StopReason): void {
    this.stopReason ??= reason;
    this.engine?.stop(reason);
  }

  attach(engine: UserExecutionEngine): void {
    this.engine = engine;
    if (this.stopReason) engine.stop(this.stopReason);
  }
}

/**
 * A run that was claimed or taken over this often without coming to an end (a crash counts for two) may be what ends the
 * process, and is not begun again.
 */
const MAX_FENCE = 20;

/** Takes runs from the dispatcher and carries them from claim to recorded end. Every way out releases what it took. */
@Injectable()
export class RunRunner implements RunConsumer {
  private readonly logger = new Logger('Run');
  private readonly active = new Map<RunId, ActiveRun>();
  private readonly stopping = new AbortController();
  private idle = Promise.withResolvers<void>();

  constructor(
    @Inject(RUN_STORE) private readonly store: RunStore,
    @Inject(EVENT_JOURNAL) private readonly journal: EventJournal,
    @Inject(RUN_DISPATCHER) private readonly dispatcher: RunDispatcher,
    private readonly factory: ExecutionEngineFactory,
    private readonly registry: AgentRegistry,
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

  /** Resolves when no run is under way here. */
  async whenIdle(): Promise<void> {
    while (this.active.size > 0) await this.idle.promise;
  }

  async run(ref: RunRef, claimed?: RunRecord): Promise<void> {
    if (this.active.has(ref.runId)) return;
    const active = new ActiveRun(ref);
    this.active.set(ref.runId, active);
    try {
      await this.carryOut(active, claimed);
    } catch (error) {
      if (!isCarrelError(error) || error.code !== 'run_closed') throw error;
      this.logger.warn({ ...ref }, 'the run was ended or taken over by another process');
    } finally {
      this.active.delete(ref.runId);
      if (this.active.size === 0) {
        this.idle.resolve();
        this.idle = Promise.withResolvers();
      }
    }
  }

  cancel(ref: RunRef, by: string): void {
    this.active.get(ref.runId)?.stop({ kind: 'cancelled', by });
  }

  /** Stops everything that is under way, because the process is about to end. */
  interruptAll(): void {
    this.stopping.abort();
    for (const active of this.active.values()) active.stop({ kind: 'interrupted' });
  }

  /** Ends a run that nobody carries out any more. */
  async end(run: RunRecord, emitter: RunEmitter, result: AgentExecutionResult): Promise<void> {
    const now = this.clock.now();
    const events = await emitter.close();
    events.push(bounded(terminalEvent(result, run.startedAtMs ?? now, now), this.config.limits.eventDataBytes));
    const outcome = outcomeOf(result, now);
    const { admitted } = await this.stored(() =>
      this.store.finish(run.userId, run.id, run.fence, outcome, events, this.config.lane),
    );
    for (const next of admitted) await this.dispatcher.dispatch(next);
    this.logger.log({ agent: run.agent, status: result.status, attempt: result.attempt }, 'run ended');
  }

  emitterFor(run: RunRecord, onLost: (error: unknown) => void): RunEmitter {
    const target = { userId: run.userId, runId: run.id, fence: run.fence };
    return new RunEmitter(target, this.journal, this.clock, this.config.limits.eventDataBytes, onLost);
  }

  contextOf(run: RunRecord): UserExecutionContext {
    const { requestId, roles, clientIp, userAgent, traceId } = run.origin;
    const timeoutMs = this.registry.find(run.agent)?.deadlineMs ?? this.config.runs.deadlineMs;
    return new UserExecutionContext({
      userId: run.userId,
      requestId,
      roles,
      threadId: run.threadId,
      runId: run.id,
      attempt: run.attempt,
      createdAtMs: run.createdAtMs,
      deadlineMs: (run.startedAtMs ?? this.clock.now()) + timeoutMs,
      metadata: run.metadata,
      audit: { clientIp, userAgent, traceId },
    });
  }

  private async carryOut(active: ActiveRun, claimed?: RunRecord): Promise<void> {
    const { userId, runId } = active.ref;
    const run = claimed ?? (await this.claim(active.ref));
    if (!run) return; // it was cancelled while it waited, or another process has it
    if (run.cancelRequestedBy) active.stop({ kind: 'cancelled', by: run.cancelRequestedBy });
    const scope = { userId, runId, requestId: run.origin.requestId };
    await runInLogScope(scope, () => this.execute(active, run));
  }

  private claim({ userId, runId }: RunRef): Promise<RunRecord | undefined> {
    return this.stored(() => this.store.claim(userId, runId, (run) => openingEvent(run, this.clock.now())));
  }

  private async execute(active: ActiveRun, run: RunRecord): Promise<void> {
    const emitter = this.emitterFor(run, (error) => active.stop({ kind: 'lost', error }));
    const context = this.contextOf(run);
    let result: AgentExecutionResult;
    try {
      await using engine = this.factory.createUserEngine(context, emitter);
      active.attach(engine);
      result = await engine.executeAgent(run.agent, run.input);
    } catch (error) {
      const attempt = error instanceof RunInterrupted ? error.attempt : run.attempt;
      if (error instanceof RunInterrupted && this.mayGoOnLater(run)) return await this.putBack(run, emitter, attempt);
      result = { context, attempt, status: 'failed', error: toRunError(error, run) };
    }
    await this.end(run, emitter, result);
  }

  /** Whether a run that was interrupted is carried out again: only when its agent says that this is harmless. */
  mayGoOnLater(run: RunRecord): boolean {
    return this.registry.find(run.agent)?.effect === 'idempotent' && run.fence < MAX_FENCE;
  }

  private async putBack(run: RunRecord, emitter: RunEmitter, attempt: number): Promise<void> {
    const rest = await emitter.close();
    if (rest.length > 0) await this.journal.append(run.userId, run.id, run.fence, rest);
    await this.store.requeue(run.userId, run.id, run.fence);
    this.logger.log({ agent: run.agent, attempt }, 'run put back; it goes on when the server starts again');
  }
  /** The slot is kept meanwhile: a server whose disk fails must not begin ever more runs. */
  private stored<Result>(write: () => Promise<Result>): Promise<Result> {
    return untilStored(write, this.clock, this.stopping.signal);
  }
}
