import type { AgentDefinition } from '../agents/agent-definition.js';
import type { AgentRegistry } from '../agents/agent-registry.service.js';
import type { CarrelConfig } from '../config/config.js';
import type { UserExecutionContext } from '../context/user-execution-context.js';
import type { RunError, Usage } from '../events/run-event.js';
import { CarrelError, isCarrelError } from '../shared/errors.js';
import type { JsonValue } from '../shared/json.js';
import type { AgentExecutionResult } from './agent-execution-result.js';
import { Attempt, type AttemptEnd, type AttemptParts } from './attempt.js';
import { backoffMs } from './backoff.js';
import { toRunError } from './run-failure.js';
import { stopError, type StopReason } from './stop-reason.js';

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
  private usage: Record<string, number> | undefined;
  private disposed = false;

  constructor(
    readonly context: UserExecutionContext,
    private readonly parts: EngineParts,
  ) {}

  /**
   * Runs the agent to its end: a value, an error, a limit or a cancel.
   *
   * @throws RunInterrupted when it was stopped because the process is about to end
   * @throws CarrelError `context_disposed` after the end; `unknown_agent`
   */
  async executeAgent(agentName: string, input: unknown): Promise<AgentExecutionResult> {
    if (this.disposed) throw new CarrelError('context_disposed');
    const definition = this.parts.registry.get(agentName);
    const attempts = definition.retry?.attempts ?? this.parts.config.runs.retryAttempts;
    for (let attempt = Math.max(1, this.context.attempt); ; attempt++) {
      const end: AttemptEnd = this.stopReason
        ? { kind: 'stopped', reason: this.stopReason, forced: false }
        : await this.attempt(definition, input, attempt);
      this.addUsage(end.usage);
      const result = this.judge(end, definition, attempt);
      if (result.status !== 'failed' && result.status !== 'timed_out') return result;
      const stillAtWork = end.kind === 'stopped' && end.forced;
      if (this.stopReason || stillAtWork || !result.error.retryable || attempt >= attempts) return result;
      if (!(await this.waitToRetry(definition, attempt, result.error, end))) return result;
    }
  }

  /** Stops what is under way; `executeAgent` ends when the agent does, or after the grace period. The first reason counts. */
  stop(reason: StopReason): void {
    if (this.stopReason) return;
    this.stopReason = reason;
    this.current?.stop(reason);
    this.stopped.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.disposed) return;
    this.disposed = true;
    this.stop({ kind: 'interrupted' });
    this.parts.onDisposed();
  }

  private async attempt(definition: AgentDefinition, input: unknown, attempt: number): Promise<AttemptEnd> {
    const { runs } = this.parts.config;
    this.current = new Attempt(this.context, attempt, {
      ...this.parts,
      graceMs: runs.cancelGraceMs,
      limits: {
        runDeadlineMs: this.context.deadline?.getTime() ?? Number.POSITIVE_INFINITY,
        runTimeoutMs: definition.deadlineMs ?? runs.deadlineMs,
        attemptTimeoutMs: definition.timeoutMs ?? runs.attemptTimeoutMs,
        noProgressMs: runs.noProgressMs,
      },
    });
    try {
      return await this.current.carryOut(definition, input);
    } finally {
      this.current = undefined;
    }
  }

  /** What an attempt's end means for the run, if it is the last one. */
  private judge(end: AttemptEnd, { name: agent }: AgentDefinition, attempt: number): AgentExecutionResult {
    const facts = { context: this.context, attempt, usage: this.usage };
    switch (end.kind) {
      case 'returned':
        try {
          return { ...facts, status: 'completed', result: asJson(end.value, this.parts.config) };
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
  private async waitToRetry(definition: AgentDefinition, attempt: number, error: RunError, end: AttemptEnd): Promise<boolean> {
    const { clock, emitter, config } = this.parts;
    const asked = end.kind === 'threw' && isCarrelError(end.error) ? (end.error.retryAfterMs ?? 0) : 0;
    const delayMs = Math.max(asked, backoffMs(definition.retry?.baseDelayMs ?? config.runs.retryBaseMs, attempt));
    const deadline = this.context.deadline;
    if (deadline && clock.now() + delayMs >= deadline.getTime()) return false;
    await emitter.emit('agent_retrying', attempt + 1, { attempt: attempt + 1, delayMs, error }).catch(() => undefined);
    const waited = Promise.withResolvers<void>();
    const cancelTimer = clock.after(delayMs, waited.resolve);
    await Promise.race([waited.promise, this.stopped.promise]);
    cancelTimer();
    return true;
  }

  private addUsage(usage: Usage | undefined): void {
    if (!usage) return;
    this.usage ??= {};
    for (const [name, amount] of Object.entries(usage)) this.usage[name] = (this.usage[name] ?? 0) + amount;
  }
}

/** The agent's result as plain data that nobody else holds a reference to. */
function asJson(value: unknown, config: CarrelConfig): JsonValue {
  if (value === undefined) throw new CarrelError('no_result', 'the agent ended without a result: return a value, null if there is nothing to say');
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (cause) {
    throw new CarrelError('invalid_result', 'the result of the agent cannot be written as JSON', { cause });
  }
  if (text === undefined) throw new CarrelError('invalid_result', `the result of the agent is a ${typeof value}, not JSON`);
  const bytes = Buffer.byteLength(text);
  if (bytes > config.http.bodyLimitBytes) {
    throw new CarrelError('invalid_result', `the result has ${bytes} bytes; at most ${config.http.bodyLimitBytes} are allowed`);
  }
  return JSON.parse(text) as JsonValue;
}
