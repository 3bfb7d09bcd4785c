import type { AgentDefinition } from '../agents/agent-definition.js';
import type { AgentRegistry } from '../agents/agent-registry.service.js';
import type { CarrelConfig } from '../config/config.js';
import type { UserExecutionContext } from '../context/user-execution-context.js';
import type { RunError } from '../events/run-event.js';
import { CarrelError, isCarrelError } from '../shared/errors.js';
import type { JsonBounds } from '../shared/json.js';
import type { AgentExecutionResult } from './agent-execution-result.js';
import { plainResult } from './agent-result.js';
import { Attempt, type AttemptEnd, type AttemptParts } from './attempt.js';
import { backoffMs } from './backoff.js';
import { toRunError } from './run-failure.js';
import { stopError, type StopReason } from './stop-reason.js';
import { UsageCounter } from './usage-counter.js';

export interface EngineParts extends Omit<AttemptParts, 'limits' | 'graceMs'> {
  registry: AgentRegistry;
  config: CarrelConfig;
  onDisposed: () => void;
}

/** Thrown when a run was stopped for the process's sake: it has no end of its own, and may go on elsewhere. */
export class RunInterrupted extends CarrelError {
  constructor(readonly attempt: number) {
    super('interrupted');
  }
}

/**
 * Carries out one run inside one context and is thrown away after it (`await using`). Retries are a loop in here: each
 * attempt gets a fresh agent in a fresh DI sub-tree, and none begins while an earlier one may still be at work.
 */
export class UserExecutionEngine implements AsyncDisposable {
  private current: Attempt | undefined;
  private stopReason: StopReason | undefined;
  private readonly stopped = Promise.withResolvers<void>();
  private usage: UsageCounter | undefined;
  private execution: Promise<AgentExecutionResult> | undefined;
  private disposed = false;

  constructor(
    readonly context: UserExecutionContext,
    private readonly parts: EngineParts,
  ) {}

  /**
   * Runs the agent to its end: a value, an error, a limit or a cancel. An engine does this once.
   *
   * @throws RunInterrupted when it was stopped because the process is about to end
   * @throws CarrelError `context_disposed` after the end; `unknown_agent`
   */
  async executeAgent(agentName: string, input: unknown): Promise<AgentExecutionResult> {
    if (this.disposed || this.execution) {
      const { correlationId } = this.context;
      throw new CarrelError(
        'context_disposed',
        `the engine of ${correlationId} was used already; make one for each run`,
      );
    }
    this.execution = this.execute(this.parts.registry.get(agentName), input);
    return this.execution;
  }

  /** Stops what is under way; `executeAgent` ends when the agent does, or after the grace period. The first reason counts. */
  stop(reason: StopReason): void {
    if (this.stopReason) return;
    this.stopReason = reason;
    this.current?.stop(reason);
    this.stopped.resolve();
  }

  /** Interrupts what is still under way, and waits for its end. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.disposed) return;
    this.disposed = true;
    this.stop({ kind: 'interrupted' });
    await this.execution?.catch(() => undefined);
    this.parts.onDisposed();
  }

  private async execute(definition: AgentDefinition, input: unknown): Promise<AgentExecutionResult> {
    const attempts = definition.retry?.attempts ?? this.parts.config.runs.retryAttempts;
    for (let attempt = Math.max(1, this.context.attempt); ; attempt++) {
      const end = this.stoppedBefore(definition) ?? (await this.attempt(definition, input, attempt));
      if (end.usage) (this.usage ??= new UsageCounter()).add(end.usage);
      const result = this.judge(end, definition, attempt);
      if (result.status !== 'failed' && result.status !== 'timed_out') return result;
      const stillAtWork = end.kind === 'stopped' && end.forced;
      if (stillAtWork || !result.error.retryable || attempt >= attempts) return result;
      // it would have been tried again, but for this
      if (this.stopReason)
        return this.judge({ kind: 'stopped', reason: this.stopReason, forced: false }, definition, attempt);
      if (!(await this.waitToRetry(definition, attempt, result.error, end))) return result;
    }
  }

  /** Why an attempt can't even begin, if so: a stop while there was none, or a deadline that passed while the server was down. */
  private stoppedBefore(definition: AgentDefinition): AttemptEnd | undefined {
    const { runDeadlineMs, runTimeoutMs } = this.limitsOf(definition);
    const late: StopReason = { kind: 'timed_out', code: 'run_timed_out', limitMs: runTimeoutMs };
    const reason = this.stopReason ?? (this.parts.clock.now() >= runDeadlineMs ? late : undefined);
    return reason && { kind: 'stopped', reason, forced: false };
  }

  private async attempt(definition: AgentDefinition, input: unknown, attempt: number): Promise<AttemptEnd> {
    const graceMs = this.parts.config.runs.cancelGraceMs;
    this.current = new Attempt(this.context, attempt, { ...this.parts, graceMs, limits: this.limitsOf(definition) });
    try {
      return await this.current.carryOut(definition, input);
    } finally {
      this.current = undefined;
    }
  }

  private limitsOf({ timeoutMs, deadlineMs }: AgentDefinition): AttemptParts['limits'] {
    const { runs } = this.parts.config;
    return {
      runDeadlineMs: this.context.deadline?.getTime() ?? Number.POSITIVE_INFINITY,
      runTimeoutMs: deadlineMs ?? runs.deadlineMs,
      attemptTimeoutMs: timeoutMs ?? runs.attemptTimeoutMs,
      noProgressMs: runs.noProgressMs,
    };
  }

  private get resultBounds(): JsonBounds {
    const { http, limits } = this.parts.config;
    return { maxBytes: http.bodyLimitBytes, maxDepth: limits.jsonDepth };
  }

  /** What an attempt's end means for the run, if it is the last one. */
  private judge(end: AttemptEnd, { name: agent }: AgentDefinition, attempt: number): AgentExecutionResult {
    const facts = { context: this.context, attempt, usage: this.usage?.total };
    switch (end.kind) {
      case 'returned':
        try {
          return {
            ...facts,
            status: 'completed',
            result: plainResult(end.value, this.resultBounds),
          };
        } catch (error) {
          return { ...facts, status: 'failed', error: toRunError(error, { agent, attempt }) };
        }
      case 'threw':
        return { ...facts, status: 'failed', error: toRunError(end.error, { agent, attempt }) };
      case 'stopped':
        switch (end.reason.kind) {
          case 'cancelled':
            return { ...facts, status: 'cancelled', by: end.reason.by, forced: end.forced };
          case 'timed_out':
            return { ...facts, status: 'timed_out', error: toRunError(stopError(end.reason), { agent, attempt }) };
          case 'lost':
            return { ...facts, status: 'failed', error: toRunError(stopError(end.reason), { agent, attempt }) };
          case 'interrupted':
            throw new RunInterrupted(attempt);
        }
    }
  }

  /** @returns false when the deadline leaves no time for another attempt */
  private async waitToRetry(
    definition: AgentDefinition,
    attempt: number,
    error: RunError,
    end: AttemptEnd,
  ): Promise<boolean> {
    const { clock, emitter, config } = this.parts;
    const backoff = backoffMs(definition.retry?.baseDelayMs ?? config.runs.retryBaseMs, attempt);
    const delayMs = Math.max(end.kind === 'threw' ? askedDelayMs(end.error) : 0, backoff);
    const deadline = this.context.deadline;
    if (deadline && clock.now() + delayMs >= deadline.getTime()) return false;
    await emitter.emit('agent_retrying', attempt + 1, { attempt: attempt + 1, delayMs, error }).catch(() => undefined);
    const waited = Promise.withResolvers<void>();
    const cancelTimer = clock.after(delayMs, waited.resolve);
    await Promise.race([waited.promise, this.stopped.promise]);
    cancelTimer();
    return true;
  }
}

/** What the agent's error asks for; anything that is no time counts as nothing. */
function askedDelayMs(error: unknown): number {
  const asked = isCarrelError(error) ? Number(error.retryAfterMs) : 0;
  return asked > 0 ? asked : 0;
}
