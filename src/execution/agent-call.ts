import type { AgentDefinition } from '../agents/agent-definition.js';
import type { AgentInvoker } from '../agents/agent-invoker.service.js';
import type { ExecutionScope } from '../context/execution-scope.js';
import type { UserExecutionContext } from '../context/user-execution-context.js';
import type { RunError } from '../events/run-error.js';
import { CarrelError, type ErrorCode } from '../shared/errors.js';
import { pause } from '../shared/pause.js';
import { plainCopy, type JsonBounds, type JsonValue } from '../shared/json.js';
import { plainResult } from './agent-result.js';
import { Attempt, type AttemptEnd, type AttemptWork } from './attempt.js';
import type { CallObserver } from './call-observer.js';
import type { AttemptLimits } from './attempt-timer.js';
import { askedDelayMs, backoffMs } from './backoff.js';
import type { CircuitBreakers, CircuitPass } from './circuit-breakers.js';
import type { CallEnd, NestedCall } from './nested-call.js';
import { toRunError } from './run-failure.js';
import type { Switchboard } from './operations/switchboard.js';
import { RunSteps } from './run-steps.js';
import type { ScopePlace } from './scope-place.js';
import type { StepParts } from './step-host.js';
import type { StepEnd } from './step-scope.js';
import { stopError, type StopReason } from './stop-reason.js';
import { UsageCounter } from './usage-counter.js';

export interface CallParts {
  readonly steps: StepParts;
  readonly invoker: AgentInvoker;
  readonly breakers: CircuitBreakers;
  readonly switchboard: Switchboard;
  readonly openScope: (context: UserExecutionContext) => ExecutionScope;
}

/** What is called: an agent, or something that is carried out like one. */
export interface Callee
  extends AttemptWork, Pick<AgentDefinition, 'name' | 'timeoutMs' | 'deadlineMs' | 'retry' | 'fallback' | 'breaker'> {
  /** @default CARREL_JSON_DEPTH */
  readonly maxResultDepth?: number;
}

export interface CallFacts {
  readonly callee: Callee;
  readonly context: UserExecutionContext;
  readonly place: ScopePlace;
  readonly observer: CallObserver;
}

/**
 * One call of an agent, of a run or of a step in it: its attempts, one after the other, none of which begins while an
 * earlier one may still be at work, and its fallback when they have failed for good.
 */
export class AgentCall implements NestedCall {
  private current: Attempt | undefined;
  private stopReason: StopReason | undefined;
  /** Made when something between attempts waits for it. */
  private stopped: AbortController | undefined;
  private readonly limits: AttemptLimits;
  private usage: UsageCounter | undefined;

  constructor(
    private readonly facts: CallFacts,
    private readonly parts: CallParts,
  ) {
    this.limits = limitsOf(facts, parts);
  }

  /** Stops what is under way; the call ends when that does, or after the grace period. The first reason counts. */
  stop(reason: StopReason): void {
    if (this.stopReason) return;
    this.stopReason = reason;
    this.current?.stop(reason);
    this.stopped?.abort(stopError(reason));
  }

  async carryOut(input: unknown, { first, last }: { first: number; last: number }): Promise<CallEnd> {
    if (this.isFallingBack) return this.fallBack(input, this.failed(new CarrelError('agent_failed'), first));
    for (let attempt = first; ; attempt++) {
      let pass: CircuitPass | undefined;
      let end: AttemptEnd | undefined;
      let judged: CallEnd;
      try {
        this.parts.switchboard.assertAgentIsOn(this.facts.callee.name);
        pass = this.parts.breakers.enter(this.facts.context.userId, this.facts.callee);
        this.facts.observer.onBegin(attempt);
        end = this.stoppedBefore() ?? (await this.attempt(input, attempt));
        judged = this.verdict(end, attempt, pass);
      } catch (error) {
        end = undefined;
        judged = this.failed(error, attempt);
      } finally {
        pass?.[Symbol.dispose]();
        this.current = undefined;
      }
      if (judged.kind !== 'failed' || end?.atWork) return judged;
      const again = judged.error.retryable && !IN_VAIN.has(judged.error.code) && attempt < last;
      if (this.stopReason) return again ? this.stoppedCall(this.stopReason, attempt, false) : judged;
      if (!again || !(await this.waitToRetry(attempt, judged))) return this.fallBack(input, judged);
    }
  }

  /** The agent had failed for good, and its fallback was under way, when the run was suspended or the process died. */
  private get isFallingBack(): boolean {
    const { callee, place } = this.facts;
    if (!callee.fallback || 'value' in callee.fallback) return false;
    const state = this.parts.steps.log.find(`${place.prefix}fallback`)?.state;
    return state === 'started' || state === 'waiting';
  }

  /** Why an attempt can't even begin, if so: a stop while there was none, or a deadline that passed while the server was down. */
  private stoppedBefore(): AttemptEnd | undefined {
    const { runDeadlineMs, runTimeoutMs } = this.limits;
    const late: StopReason = { kind: 'timed_out', code: 'run_timed_out', limitMs: runTimeoutMs };
    const reason = this.stopReason ?? (this.parts.steps.clock.now() >= runDeadlineMs ? late : undefined);
    return reason && { kind: 'stopped', reason, atWork: false };
  }

  private attempt(input: unknown, number: number): Promise<AttemptEnd> {
    const { callee, context, place, observer } = this.facts;
    this.current = new Attempt({ context, number, limits: this.limits, place, observer }, this.parts);
    return this.current.carryOut(input, callee);
  }

  private verdict(end: AttemptEnd, attempt: number, pass: CircuitPass): CallEnd {
    if (end.usage) (this.usage ??= new UsageCounter()).add(end.usage);
    const judged = this.judge(end, attempt);
    if (judged.kind === 'returned') pass.succeeded();
    if (judged.kind === 'failed') pass.failed(judged.error);
    return judged;
  }

  /** What an attempt's end means for the call, if it is the last one. */
  private judge(end: AttemptEnd, attempt: number): CallEnd {
    const facts = { attempt, usage: this.usage?.total };
    switch (end.kind) {
      case 'returned':
        try {
          const value = plainResult(end.value, this.resultBounds);
          return { ...facts, kind: 'returned', value, degraded: false };
        } catch (error) {
          return this.failed(error, attempt);
        }
      case 'threw':
        return this.failed(end.error, attempt);
      case 'stopped':
        if (end.reason.kind !== 'timed_out') return this.stoppedCall(end.reason, attempt, end.atWork);
        return { ...this.failed(stopError(end.reason), attempt), status: 'timed_out' };
    }
  }

  private get resultBounds(): JsonBounds {
    const { http, limits } = this.parts.steps.config;
    return { maxBytes: http.bodyLimitBytes, maxDepth: this.facts.callee.maxResultDepth ?? limits.jsonDepth };
  }

  private failed(cause: unknown, attempt: number): Extract<CallEnd, { kind: 'failed' }> {
    const { name: agent } = this.facts.callee;
    const error = toRunError(cause, { agent, attempt });
    return { attempt, usage: this.usage?.total, kind: 'failed', status: 'failed', error, cause };
  }

  private stopSignal(): AbortSignal {
    this.stopped ??= new AbortController();
    if (this.stopReason && !this.stopped.signal.aborted) this.stopped.abort(stopError(this.stopReason));
    return this.stopped.signal;
  }

  private stoppedCall(reason: StopReason, attempt: number, forced: boolean): CallEnd {
    return { attempt, usage: this.usage?.total, kind: 'stopped', reason, forced };
  }

  /** @returns false when the deadline leaves no time for another attempt */
  private async waitToRetry(attempt: number, { error, cause }: { error: RunError; cause: unknown }): Promise<boolean> {
    const { clock, config, log } = this.parts.steps;
    const { callee, context, place } = this.facts;
    const backoff = backoffMs(callee.retry?.baseDelayMs ?? config.runs.retryBaseMs, attempt);
    const delayMs = Math.max(askedDelayMs(cause), backoff);
    if (context.deadline && clock.now() + delayMs >= context.deadline.getTime()) return false;
    const step = place.prefix.slice(0, -1) || undefined;
    const next = step === undefined ? attempt + 1 : this.parts.steps.attempt();
    const facts = { attempt: attempt + 1, delayMs, error };
    await log.retry(cause, facts, { attempt: next, step }).catch(() => undefined);
    await pause(delayMs, clock, this.stopSignal());
    return true;
  }

  /** A fallback's answer is never reported as the agent's own. */
  private async fallBack(input: unknown, judged: Extract<CallEnd, { kind: 'failed' }>): Promise<CallEnd> {
    const { callee, place } = this.facts;
    if (!callee.fallback) return judged;
    const { steps } = this.parts;
    const to = 'agent' in callee.fallback ? callee.fallback.agent : null;
    const told = { from: callee.name, to, reason: judged.error.message };
    const step = place.prefix.slice(0, -1) || undefined;
    if (!this.isFallingBack)
      await steps.emitter.emit('agent_fallback', steps.attempt(), told, step).catch(() => undefined);
    const answered = (value: JsonValue): CallEnd => {
      steps.noteDegraded();
      return { attempt: judged.attempt, usage: judged.usage, kind: 'returned', value, degraded: true };
    };
    if ('value' in callee.fallback) return answered(plainCopy(callee.fallback.value));
    const end = await this.callFallback(callee.fallback.agent, input);
    if (this.stopReason) return this.stoppedCall(this.stopReason, judged.attempt, false);
    return end?.outcome === 'ok' ? answered(end.result ?? null) : judged;
  }

  /** @returns undefined when it could not be called, or was stopped */
  private async callFallback(agent: string, input: unknown): Promise<StepEnd | undefined> {
    try {
      const context = this.facts.context.child('fallback', { signal: this.stopSignal() });
      const scope = new RunSteps(context, this.facts.place, this.parts.steps);
      this.facts.observer.onSteps(scope);
      return await scope.agent({ name: 'fallback', agent, input: plainCopy(input) });
    } catch {
      return undefined;
    }
  }
}

/** A breaker is open, and an agent switched off, for longer than that; of models, what can be tried again was tried, and what is recorded stays so. */
const IN_VAIN: ReadonlySet<ErrorCode> = new Set([
  'agent_disabled',
  'circuit_open',
  'model_failed',
  'invalid_model_output',
]);

function limitsOf({ callee, context }: CallFacts, { steps }: CallParts): AttemptLimits {
  const { runs } = steps.config;
  return {
    runDeadlineMs: context.deadline?.getTime() ?? Number.POSITIVE_INFINITY,
    runTimeoutMs: callee.deadlineMs ?? runs.deadlineMs,
    attemptTimeoutMs: callee.timeoutMs ?? runs.attemptTimeoutMs,
    noProgressMs: runs.noProgressMs,
  };
}
