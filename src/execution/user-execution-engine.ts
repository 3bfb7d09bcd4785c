import type { AgentDefinition } from '../agents/agent-definition.js';
import type { UserExecutionContext } from '../context/user-execution-context.js';
import type { StepRecord } from '../events/step-record.js';
import { CarrelError } from '../shared/errors.js';
import { plainCopy, type JsonValue } from '../shared/json.js';
import { AgentCall, type Callee, type CallParts } from './agent-call.js';
import type { AgentExecutionResult } from './agent-execution-result.js';
import type { CallEnd } from './nested-call.js';
import type { HookChain } from './hooks/hook-chain.service.js';
import type { HookSession } from './hooks/hook-session.js';
import { executePipeline } from './pipeline/pipeline-executor.js';
import type { PipelinePlan } from './pipeline/pipeline-plan.js';
import { toRunError } from './run-failure.js';
import type { Suspension } from './run-store.port.js';
import { StepLog } from './step-log.js';
import type { StepParts } from './step-host.js';
import { StepWaits, type OpenStep } from './step-waits.js';
import { UsageCounter } from './usage-counter.js';
import { stopError, type StopReason } from './stop-reason.js';

export interface EngineParts
  extends Omit<CallParts, 'steps'>, Pick<StepParts, 'registry' | 'config' | 'clock' | 'emitter'> {
  hooks: HookChain;
  /** What is recorded of the run's steps already. */
  recorded: readonly StepRecord[];
  onDisposed: () => void;
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
  private readonly callParts: CallParts;
  private readonly log: StepLog;
  private readonly waits: StepWaits;
  /** For hooks, when there are any. */
  private stopping: AbortController | undefined;
  private call: AgentCall | undefined;
  private stopReason: StopReason | undefined;
  private suspension: ReturnType<StepWaits['suspension']> | undefined;
  private underWay: OpenStep | undefined;
  private attempt: number;
  private degraded = false;
  private readonly usage = new UsageCounter();
  private execution: Promise<AgentExecutionResult> | undefined;
  private ended = false;
  private disposed = false;

  constructor(
    readonly context: UserExecutionContext,
    private readonly parts: EngineParts,
  ) {
    const { emitter, registry, config, clock, recorded } = parts;
    this.attempt = Math.max(1, context.attempt);
    const attempt = () => this.attempt;
    this.log = new StepLog(recorded, emitter, attempt, config.limits.runSteps);
    this.waits = new StepWaits(
      () => this.underWay?.atRest() ?? false,
      () => this.suspend(),
    );
    const steps: StepParts = {
      emitter,
      registry,
      config,
      clock,
      attempt,
      waits: this.waits,
      log: this.log,
      isSuspending: () => this.stopReason?.kind === 'suspended',
      noteDegraded: () => (this.degraded = true),
      noteUsage: (usage) => this.usage.add(usage),
      nestedCall: ({ definition, ...facts }) =>
        new AgentCall({ ...facts, callee: this.calleeOf(definition) }, this.callParts),
    };
    const { invoker, breakers, openScope } = parts;
    this.callParts = { steps, invoker, breakers, openScope };
  }

  /**
   * Runs the agent to its end: a value, an error, a limit or a cancel. An engine does this once.
   *
   * @throws RunInterrupted when it was stopped because the process is about to end
   * @throws RunSuspended when everything that is under way waits for a person or for time
   * @throws CarrelError `context_disposed` after the end; `unknown_agent`
   */
  async executeAgent(agentName: string, input: unknown): Promise<AgentExecutionResult> {
    this.assertUnused();
    const definition = this.parts.registry.get(agentName);
    const attempts = definition.retry?.attempts ?? this.parts.config.runs.retryAttempts;
    return (this.execution = this.execute('agent', this.calleeOf(definition), input, attempts));
  }

  /** Carries out a pipeline, as `executeAgent` does an agent. The steps' failures are the pipeline's business. */
  async executePipeline(plan: PipelinePlan, input: unknown): Promise<AgentExecutionResult> {
    this.assertUnused();
    const work =
      (given: unknown) => async (_scope: unknown, _run: unknown, steps: Parameters<typeof executePipeline>[2]) => {
        const { result, degraded } = await executePipeline(plan, given, steps);
        this.degraded ||= degraded;
        return result;
      };
    const unbounded = Number.POSITIVE_INFINITY;
    const callee = {
      name: plan.name,
      timeoutMs: unbounded,
      deadlineMs: plan.deadlineMs,
      work,
      maxResultDepth: unbounded,
    };
    return (this.execution = this.execute('pipeline', callee, input, 1));
  }

  /** Stops what is under way; the execution ends when that does, or after the grace period. The first reason counts. */
  stop(reason: StopReason): void {
    this.stopReason ??= reason;
    this.call?.stop(this.stopReason);
    this.stopping?.abort(stopError(this.stopReason));
  }

  /** Questions of the run have been answered before it was suspended. */
  answered(records: readonly StepRecord[]): void {
    this.log.learn(records); // a step may be about to wait for its answer
    this.waits.answered(records);
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

  private get steps(): StepParts {
    return this.callParts.steps;
  }

  /** Between the hooks' begin and their end. */
  private async execute(
    kind: 'agent' | 'pipeline',
    callee: Callee,
    input: unknown,
    last: number,
  ): Promise<AgentExecutionResult> {
    if (this.parts.hooks.isEmpty) {
      return this.carriedOut(callee, input, last).finally(() => (this.ended = true));
    }
    this.stopping = new AbortController();
    if (this.stopReason) this.stopping.abort(stopError(this.stopReason));
    const context = this.context.forAttempt(this.attempt, this.stopping.signal);
    const facts = { kind, name: callee.name, input: input as JsonValue, attempt: this.attempt };
    let session: HookSession;
    try {
      session = await this.parts.hooks.begin(context, facts);
    } catch (cause) {
      return this.refusedResult(cause, callee.name);
    }
    try {
      const result = await this.carriedOut(callee, input, last);
      if (result.status === 'failed' || result.status === 'timed_out') await session.failed(result.error);
      else await session.ended(result);
      return result;
    } finally {
      await session[Symbol.asyncDispose]();
      this.ended = true;
    }
  }

  private async carriedOut(callee: Callee, input: unknown, last: number): Promise<AgentExecutionResult> {
    return this.resultOf(this.withAllUsage(await this.carryOut(callee, input, last)), callee.name);
  }

  private carryOut(callee: Callee, input: unknown, last: number): Promise<CallEnd> {
    const place = { prefix: '', above: [], isOver: () => false, onProgress: () => undefined };
    const onBegin = (attempt: number) => (this.attempt = attempt);
    const onSteps = (steps: OpenStep) => (this.underWay = steps);
    const facts = { callee, context: this.context, place, onBegin, onSteps };
    this.call = new AgentCall(facts, this.callParts);
    if (this.stopReason) this.call.stop(this.stopReason);
    return this.call.carryOut(input, { first: this.attempt, last });
  }

  /** A hook did not let the run begin, or it was stopped before. */
  private refusedResult(cause: unknown, agent: string): AgentExecutionResult {
    const { attempt, stopReason: reason } = this;
    if (reason) return this.stoppedResult({ attempt, kind: 'stopped', reason, forced: false }, agent);
    return { context: this.context, attempt, status: 'failed', error: toRunError(cause, { agent, attempt }) };
  }

  private calleeOf(definition: AgentDefinition): Callee {
    const { invoker } = this.parts;
    return {
      ...definition,
      work: (raw) => async (scope, run) => {
        const input = await definition.validate(plainCopy(raw)); // what this agent does to it, the next attempt's must not see
        const instance = await scope.resolve(definition.agentClass);
        run.signal.throwIfAborted(); // schema and injected providers may have taken their time
        return invoker.invoke(definition, instance, scope.contextId, input, run);
      },
    };
  }

  private suspended(attempt: number): RunSuspended {
    const { dueMs = 0, ...suspension } = this.suspension ?? { approvals: [] };
    return new RunSuspended(attempt, suspension, dueMs);
  }

  private suspend(): void {
    const interrupted = this.log.interrupted();
    this.suspension = { ...this.waits.suspension(), ...(interrupted.length > 0 && { interrupted }) };
    this.stop({ kind: 'suspended' });
  }

  private resultOf(end: CallEnd, agent: string): AgentExecutionResult {
    const { attempt, usage } = end;
    const facts = { context: this.context, attempt, usage };
    switch (end.kind) {
      case 'returned':
        return { ...facts, status: this.degraded ? 'degraded' : 'completed', result: end.value };
      case 'failed':
        return { ...facts, status: end.status, error: end.error };
      case 'stopped':
        return this.stoppedResult(end, agent);
    }
  }

  /** What its steps have used is a part of what a run used, whichever process has carried them out. */
  private withAllUsage(end: CallEnd): CallEnd {
    if (end.usage) this.usage.add(end.usage);
    this.log.addUsageTo(this.usage);
    return { ...end, usage: this.usage.total };
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
