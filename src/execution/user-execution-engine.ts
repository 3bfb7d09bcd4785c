import type { CarrelConfig } from '../config/config.js';
import type { UserExecutionContext } from '../context/user-execution-context.js';
import type { RunEmitter } from '../events/run-emitter.js';
import type { StepRecord } from '../events/step-record.js';
import type { Clock } from '../shared/clock.js';
import { CarrelError } from '../shared/errors.js';
import type { JsonValue } from '../shared/json.js';
import { AgentCall, type Callee, type CallParts } from './agent-call.js';
import type { AgentExecutionResult } from './agent-execution-result.js';
import type { EngineServices } from './engine-services.js';
import type { HookSession } from './hooks/hook-session.js';
import type { CallEnd, NestedCall, NestedCallFacts } from './nested-call.js';
import { executePipeline } from './pipeline/pipeline-executor.js';
import type { PipelinePlan } from './pipeline/pipeline-plan.js';
import { toRunError } from './run-failure.js';
import { RunState } from './run-state.js';
import type { Suspension } from './run-store.port.js';
import { WHOLE_RUN } from './scope-place.js';
import type { StepWaits } from './step-waits.js';
import { stopError, type StopReason } from './stop-reason.js';
import type { ToolDoor } from './tool-step.js';

export interface EngineParts {
  readonly services: EngineServices;
  readonly config: CarrelConfig;
  readonly clock: Clock;
  readonly emitter: RunEmitter;
  readonly openScope: CallParts['openScope'];
  /** What is recorded of the run's steps already. */
  readonly recorded: readonly StepRecord[];
  readonly onDisposed: () => void;
}

/** Made once, for an error's stack costs more than the rest of a run's end; and frozen, for all users' hooks see it. */
const OVER = Object.freeze(new CarrelError('run_closed', 'the run is over'));

/** Thrown when a run was stopped for the process's sake: it has no end of its own, and may go on elsewhere. */
export class RunInterrupted extends CarrelError {
  constructor(readonly attempt: number) {
    super('interrupted');
  }
}

/** Thrown when everything that is under way in a run waits for a person or for time. */
export class RunSuspended extends CarrelError {
  constructor(
    readonly attempt: number,
    readonly suspension: Suspension,
    /** When the first thing that it waits for is over, answered or not. */
    readonly dueMs: number,
  ) {
    super('run_closed', 'the run is suspended');
  }
}

/**
 * Carries out one run inside one context and is thrown away after it (`await using`). Retries are a loop in here: each
 * attempt gets a fresh agent in a fresh DI sub-tree, and none begins while an earlier one may still be at work. What is
 * recorded of the run's steps is not done again.
 */
export class UserExecutionEngine implements AsyncDisposable {
  private readonly state: RunState;
  private readonly callParts: CallParts;
  /** For hooks, when there are any. */
  private stopping: AbortController | undefined;
  private call: AgentCall | undefined;
  private stopReason: StopReason | undefined;
  private suspension: ReturnType<StepWaits['suspension']> | undefined;
  private execution: Promise<AgentExecutionResult> | undefined;
  private ended = false;
  private disposed = false;

  constructor(
    readonly context: UserExecutionContext,
    private readonly parts: EngineParts,
  ) {
    const { emitter, config, clock, recorded, openScope, services } = parts;
    const { registry, invoker, breakers, switchboard } = services;
    this.state = new RunState(Math.max(1, context.attempt), { emitter, registry, config, clock, recorded }, this);
    this.callParts = { steps: this.state, invoker, breakers, switchboard, openScope };
  }

  /**
   * Runs the agent to its end: a value, an error, a limit or a cancel. An engine does this once.
   *
   * @throws RunInterrupted when it was stopped because the process is about to end
   * @throws RunSuspended when everything that is under way waits for a person or for time
   * @throws CarrelError `context_disposed` after the end; `unknown_agent`
   */
  executeAgent(agentName: string, input: unknown): Promise<AgentExecutionResult> {
    return this.begun(() => {
      const definition = this.parts.services.registry.get(agentName);
      const attempts = definition.retry?.attempts ?? this.parts.config.runs.retryAttempts;
      return this.execute('agent', this.parts.services.calleeOf(definition), input, attempts);
    });
  }

  /** Carries out a pipeline, as `executeAgent` does an agent. The steps' failures are the pipeline's business. */
  executePipeline(plan: PipelinePlan, input: unknown): Promise<AgentExecutionResult> {
    const unbounded = Number.POSITIVE_INFINITY; // the run's deadline and the steps' own limits are enough
    const callee: Callee = {
      name: plan.name,
      timeoutMs: unbounded,
      deadlineMs: plan.deadlineMs,
      maxResultDepth: unbounded,
      work: async (given, _scope, _run, steps) => {
        const { result, degraded } = await executePipeline(plan, given, steps);
        this.state.degraded ||= degraded;
        return result;
      },
    };
    return this.begun(() => this.execute('pipeline', callee, input, 1));
  }

  /** Stops what is under way; the execution ends when that does, or after the grace period. The first reason counts. */
  stop(reason: StopReason): void {
    this.stopReason ??= reason;
    this.call?.stop(this.stopReason);
    this.stopping?.abort(stopError(this.stopReason));
  }

  /** Questions of the run have been answered before it was suspended. */
  answered(records: readonly StepRecord[]): void {
    this.state.log.learn(records); // a step may be about to wait for its answer
    this.state.waits.answered(records);
  }

  /** Interrupts what is still under way, and waits for its end. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.disposed) return;
    this.disposed = true;
    if (this.ended) this.stopping?.abort(OVER);
    else this.stop({ kind: 'interrupted' });
    await this.execution?.catch(() => undefined);
    this.parts.onDisposed();
  }

  /** For the run's state. */
  get tools(): ToolDoor {
    return this.parts.services.tools;
  }

  /** For the run's state: everything that is under way waits. */
  suspend(): void {
    const interrupted = this.state.log.interrupted();
    this.suspension = { ...this.state.waits.suspension(), ...(interrupted.length > 0 && { interrupted }) };
    this.state.suspending = this.stopReason === undefined;
    this.stop({ kind: 'suspended' });
  }

  /** For the run's state: an agent's call inside the run. */
  nestedCall({ definition, ...facts }: NestedCallFacts): NestedCall {
    return new AgentCall({ ...facts, callee: this.parts.services.calleeOf(definition) }, this.callParts);
  }

  private begun(execute: () => Promise<AgentExecutionResult>): Promise<AgentExecutionResult> {
    try {
      this.assertUnused();
      return (this.execution = execute());
    } catch (error) {
      return Promise.reject(error);
    }
  }

  private execute(
    kind: 'agent' | 'pipeline',
    callee: Callee,
    input: unknown,
    last: number,
  ): Promise<AgentExecutionResult> {
    if (this.parts.services.hooks.isEmpty) return this.carryOut(callee, input, last);
    return this.executeWithHooks(kind, callee, input, last);
  }

  /** Between the hooks' begin and their end. */
  private async executeWithHooks(
    kind: 'agent' | 'pipeline',
    callee: Callee,
    input: unknown,
    last: number,
  ): Promise<AgentExecutionResult> {
    this.stopping = new AbortController();
    if (this.stopReason) this.stopping.abort(stopError(this.stopReason));
    const attempt = this.state.attempt();
    const context = this.context.forAttempt(attempt, this.stopping.signal);
    const facts = { kind, name: callee.name, input: input as JsonValue, attempt };
    let session: HookSession;
    try {
      session = await this.parts.services.hooks.begin(context, facts);
    } catch (cause) {
      return this.refusedResult(cause, callee.name);
    }
    try {
      const result = await this.carryOut(callee, input, last);
      if (result.status === 'failed' || result.status === 'timed_out') await session.failed(result.error);
      else await session.ended(result);
      return result;
    } finally {
      await session[Symbol.asyncDispose]();
    }
  }

  /** Not `async`, for a run in flight would keep what that needs. */
  private carryOut(callee: Callee, input: unknown, last: number): Promise<AgentExecutionResult> {
    const facts = { callee, context: this.context, place: WHOLE_RUN, observer: this.state };
    this.call = new AgentCall(facts, this.callParts);
    if (this.stopReason) this.call.stop(this.stopReason);
    return this.call.carryOut(input, { first: this.state.attempt(), last }).then(
      (end) => {
        this.ended = true;
        return this.resultOf(end, callee.name);
      },
      (error: unknown) => {
        this.ended = true;
        throw error;
      },
    );
  }

  /** A hook did not let the run begin, or it was stopped before. */
  private refusedResult(cause: unknown, agent: string): AgentExecutionResult {
    const { stopReason: reason } = this;
    const attempt = this.state.attempt();
    if (reason) return this.stoppedResult({ attempt, kind: 'stopped', reason, forced: false }, agent);
    return { context: this.context, attempt, status: 'failed', error: toRunError(cause, { agent, attempt }) };
  }

  private suspended(attempt: number): RunSuspended {
    const { dueMs = 0, ...suspension } = this.suspension ?? { approvals: [] };
    return new RunSuspended(attempt, suspension, dueMs);
  }

  private resultOf(end: CallEnd, agent: string): AgentExecutionResult {
    const { attempt } = end;
    const usage = this.state.totalUsage(end.usage);
    const facts = { context: this.context, attempt, usage };
    switch (end.kind) {
      case 'returned':
        return { ...facts, status: this.state.degraded ? 'degraded' : 'completed', result: end.value };
      case 'failed':
        return { ...facts, status: end.status, error: end.error };
      case 'stopped':
        return this.stoppedResult({ ...end, usage }, agent);
    }
  }

  private stoppedResult(
    { attempt, usage, reason, forced }: Extract<CallEnd, { kind: 'stopped' }>,
    agent: string,
  ): AgentExecutionResult {
    const facts = { context: this.context, attempt, usage };
    switch (reason.kind) {
      case 'cancelled':
        return { ...facts, status: 'cancelled', by: reason.by, forced };
      case 'interrupted':
        throw new RunInterrupted(attempt);
      case 'suspended':
        throw this.suspended(attempt);
      case 'timed_out':
      case 'lost':
      case 'above': {
        const status = reason.kind === 'timed_out' ? 'timed_out' : 'failed';
        return { ...facts, status, error: toRunError(stopError(reason), { agent, attempt }) };
      }
    }
  }

  private assertUnused(): void {
    if (!this.disposed && !this.execution) return;
    const { correlationId } = this.context;
    throw new CarrelError('context_disposed', `the engine of ${correlationId} was used already; make one for each run`);
  }
}
