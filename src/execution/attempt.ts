import type { AgentDefinition } from '../agents/agent-definition.js';
import type { AgentInvoker } from '../agents/agent-invoker.service.js';
import type { ExecutionScope } from '../context/execution-scope.js';
import type { UserExecutionContext } from '../context/user-execution-context.js';
import type { RunEmitter } from '../events/run-emitter.js';
import type { Usage } from '../events/run-event.js';
import type { Clock } from '../shared/clock.js';
import { CarrelError } from '../shared/errors.js';
import { plainCopy } from '../shared/json.js';
import { AttemptRun } from './attempt-run.js';
import { AttemptTimer, type AttemptLimits } from './attempt-timer.js';
import { stopError, type StopReason } from './stop-reason.js';

/** How an attempt ended. `forced`: it was told to stop and has not, within the grace period. */
export type AttemptEnd = { usage?: Usage } & (
  | { kind: 'returned'; value: unknown }
  | { kind: 'threw'; error: unknown }
  | { kind: 'stopped'; reason: StopReason; forced: boolean }
);

export interface AttemptParts {
  invoker: AgentInvoker;
  emitter: RunEmitter;
  clock: Clock;
  openScope: (context: UserExecutionContext) => ExecutionScope;
  limits: AttemptLimits;
  graceMs: number;
}

/** Made once, for an error's stack costs more than the rest of an attempt's end; and frozen, for all users' agents see it. */
const OVER = Object.freeze(new CarrelError('run_closed', 'the attempt is over'));

/** One try of one agent in a DI sub-tree of its own: it ends when the agent does, or, told to stop, after the grace period. */
export class Attempt {
  private readonly controller = new AbortController();
  private readonly forcedEnd = Promise.withResolvers<void>();
  private stopReason: StopReason | undefined;
  private cancelGrace: (() => void) | undefined;

  constructor(
    private readonly context: UserExecutionContext,
    private readonly number: number,
    private readonly parts: AttemptParts,
  ) {}

  /** Aborts the agent's signal. The first reason counts. */
  stop(reason: StopReason): void {
    if (this.stopReason) return;
    this.stopReason = reason;
    this.cancelGrace = this.parts.clock.after(this.parts.graceMs, () => this.forcedEnd.resolve());
    this.controller.abort(stopError(reason));
  }

  async carryOut(definition: AgentDefinition, input: unknown): Promise<AttemptEnd> {
    const { clock, limits, emitter, openScope } = this.parts;
    const scope = openScope(this.context.forAttempt(this.number, this.controller.signal));
    const timer = new AttemptTimer(clock, limits, (reason) => this.stop(reason));
    const run = new AttemptRun(scope, emitter, clock, () => timer.progress(), limits.runDeadlineMs);
    try {
      const end = await this.settled(this.work(definition, input, scope, run), timer);
      return {
        ...end,
        usage: run.end(end.kind === 'stopped' ? stopError(end.reason).message : 'the agent ended first'),
      };
    } finally {
      timer.stop();
      this.cancelGrace?.();
      await scope[Symbol.asyncDispose]();
      this.controller.abort(OVER); // whatever the agent left behind stops too
    }
  }

  private async work(
    definition: AgentDefinition,
    raw: unknown,
    scope: ExecutionScope,
    run: AttemptRun,
  ): Promise<unknown> {
    const input = await definition.validate(plainCopy(raw)); // what this agent does to it, the next attempt's must not see
    const instance = await scope.resolve(definition.agentClass);
    run.signal.throwIfAborted(); // schema and injected providers may have taken their time
    return this.parts.invoker.invoke(definition, instance, scope.contextId, input, run);
  }

  private async settled(work: Promise<unknown>, timer: AttemptTimer): Promise<AttemptEnd> {
    const ended = work.then(
      (value): AttemptEnd => ({ kind: 'returned', value }),
      (error: unknown): AttemptEnd => ({ kind: 'threw', error }),
    );
    const end = (await Promise.race([ended, this.forcedEnd.promise])) ?? undefined;
    const reason = this.stopReason ?? timer.passed();
    if (reason) return { kind: 'stopped', reason, forced: !end };
    return end ?? ended;
  }
}
