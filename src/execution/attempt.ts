import type { ExecutionScope } from '../context/execution-scope.js';
import type { UserExecutionContext } from '../context/user-execution-context.js';
import type { Usage } from '../events/run-error.js';
import type { Clock } from '../shared/clock.js';
import { CarrelError } from '../shared/errors.js';
import { AttemptRun } from './attempt-run.js';
import { AttemptTimer, type AttemptLimits, type WatchedAttempt } from './attempt-timer.js';
import type { CallObserver } from './call-observer.js';
import { RunSteps } from './run-steps.js';
import type { ScopeLife, ScopePlace } from './scope-place.js';
import type { StepParts } from './step-host.js';

import { stopError, type StopReason } from './stop-reason.js';

/** How an attempt ended. `atWork`: it was told to stop and has not, within the grace period, or something it began has not. */
export type AttemptEnd = { usage?: Usage; atWork: boolean } & (
  { kind: 'returned'; value: unknown } | { kind: 'threw'; error: unknown } | { kind: 'stopped'; reason: StopReason }
);

/** What an attempt carries out in its DI sub-tree, with its handle on the run. */
export interface AttemptWork {
  readonly name: string;
  work(input: unknown, scope: ExecutionScope, run: AttemptRun, steps: RunSteps): Promise<unknown>;
}

export interface AttemptParts {
  readonly steps: StepParts;
  readonly openScope: (context: UserExecutionContext) => ExecutionScope;
}

/** Where in its run an attempt is. */
export interface AttemptFacts {
  readonly context: UserExecutionContext;
  /** From 1, of the run or of the step that it is an attempt of. */
  readonly number: number;
  readonly limits: AttemptLimits;
  readonly place: ScopePlace;
  readonly observer: CallObserver;
}

/** Made once, for an error's stack costs more than the rest of an attempt's end; and frozen, for all users' agents see it. */
const OVER = Object.freeze(new CarrelError('run_closed', 'the attempt is over'));

/** One try in a DI sub-tree of its own: it ends when its work does, or, told to stop, after the grace period. */
export class Attempt implements ScopeLife, WatchedAttempt {
  private readonly controller = new AbortController();
  /** Settles with the work's end, or without one after the grace period. */
  private endWork: (end: AttemptEnd | undefined) => void = () => undefined;
  /** Settles when the grace period is over; made when somebody waits for it. */
  private forcedEnd: PromiseWithResolvers<void> | undefined;
  private timer: AttemptTimer | undefined;
  private steps: RunSteps | undefined;
  private stopReason: StopReason | undefined;
  private cancelGrace: (() => void) | undefined;
  private over = false;

  constructor(
    private readonly facts: AttemptFacts,
    private readonly parts: AttemptParts,
  ) {}

  private get clock(): Clock {
    return this.parts.steps.clock;
  }

  /** Aborts the work's signal. The first reason counts. */
  stop(reason: StopReason): void {
    if (this.stopReason) return;
    this.stopReason = reason;
    this.beginGrace();
    this.controller.abort(reason.kind === 'above' ? reason.error : stopError(reason));
  }

  isBusy(): boolean {
    return this.steps?.isBusy ?? false;
  }

  isOver(): boolean {
    return this.over || this.facts.place.life.isOver();
  }

  onProgress(): void {
    this.timer?.progress();
    this.facts.place.life.onProgress();
  }

  async carryOut(input: unknown, callee: AttemptWork): Promise<AttemptEnd> {
    const { facts, parts, clock } = this;
    const { context, number, limits, place } = facts;
    const scope = parts.openScope(context.forAttempt(number, this.controller.signal));
    const timer = (this.timer = new AttemptTimer(clock, limits, this));
    const steps = (this.steps = new RunSteps(scope.context, { ...place, life: this }, parts.steps));
    const where = {
      steps,
      runAttempt: parts.steps.attempt(),
      step: place.prefix.slice(0, -1) || undefined,
      agent: callee.name,
    };
    const run = new AttemptRun(scope, where, parts.steps.emitter, clock, this, limits.runDeadlineMs);
    facts.observer.onSteps(steps);
    try {
      const ended = await this.whenEnded(callee.work(input, scope, run, steps));
      const reason = this.stopReason ?? timer.passed();
      // without an end there is a reason: the grace period begins with a stop
      const end: AttemptEnd = ended && !reason ? ended : { kind: 'stopped', reason: reason!, atWork: !ended };
      const usage = run.end(end.kind === 'stopped' ? stopError(end.reason).message : 'the agent ended first');
      return { ...end, usage, atWork: end.atWork || (steps.isOpen && (await this.leavesWork(steps))) };
    } finally {
      steps.leaveOpen();
      this.over = true;
      timer.stop();
      this.cancelGrace?.();
      await scope[Symbol.asyncDispose]();
      this.controller.abort(OVER); // whatever was left behind stops too
    }
  }

  private whenEnded(work: Promise<unknown>): Promise<AttemptEnd | undefined> {
    return new Promise((resolve) => {
      this.endWork = resolve;
      work.then(
        (value) => resolve({ kind: 'returned', value, atWork: false }),
        (error: unknown) => resolve({ kind: 'threw', error, atWork: false }),
      );
    });
  }

  /** Steps that were begun and not awaited are told to stop, and have the grace period for it as well. */
  private async leavesWork(steps: RunSteps): Promise<boolean> {
    this.beginGrace();
    this.controller.abort(OVER);
    const forced = (this.forcedEnd ??= Promise.withResolvers());
    return Promise.race([steps.whenSettled().then(() => false), forced.promise.then(() => true)]);
  }

  private beginGrace(): void {
    this.cancelGrace ??= this.clock.after(this.parts.steps.config.runs.cancelGraceMs, () => {
      this.endWork(undefined);
      (this.forcedEnd ??= Promise.withResolvers()).resolve();
    });
  }
}
