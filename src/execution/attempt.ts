import type { ExecutionScope } from '../context/execution-scope.js';
import type { UserExecutionContext } from '../context/user-execution-context.js';
import type { Usage } from '../events/run-error.js';
import type { Clock } from '../shared/clock.js';
import { CarrelError } from '../shared/errors.js';
import { AttemptRun } from './attempt-run.js';
import { AttemptTimer, type AttemptLimits } from './attempt-timer.js';
import { RunSteps } from './run-steps.js';
import type { ScopePlace } from './scope-place.js';
import type { StepParts } from './step-host.js';
import { stopError, type StopReason } from './stop-reason.js';

/** How an attempt ended. `atWork`: it was told to stop and has not, within the grace period, or something it began has not. */
export type AttemptEnd = { usage?: Usage; atWork: boolean } & (
  { kind: 'returned'; value: unknown } | { kind: 'threw'; error: unknown } | { kind: 'stopped'; reason: StopReason }
);

/** What is carried out in an attempt's DI sub-tree, with its handle on the run. */
export type AttemptWork = (scope: ExecutionScope, run: AttemptRun, steps: RunSteps) => Promise<unknown>;

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
  readonly onSteps?: (steps: RunSteps) => void;
}

/** Made once, for an error's stack costs more than the rest of an attempt's end; and frozen, for all users' agents see it. */
const OVER = Object.freeze(new CarrelError('run_closed', 'the attempt is over'));

/** One try in a DI sub-tree of its own: it ends when its work does, or, told to stop, after the grace period. */
export class Attempt {
  private readonly controller = new AbortController();
  /** Settles with the work's end, or without one after the grace period. */
  private readonly workEnd = Promise.withResolvers<AttemptEnd | undefined>();
  private readonly forcedEnd = Promise.withResolvers<void>();
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

  async carryOut(work: AttemptWork): Promise<AttemptEnd> {
    const { facts, parts } = this;
    const { emitter } = parts.steps;
    const scope = parts.openScope(facts.context.forAttempt(facts.number, this.controller.signal));
    const steps = this.stepsIn(scope.context, () => timer.progress());
    const timer = new AttemptTimer(
      this.clock,
      facts.limits,
      (reason) => this.stop(reason),
      () => steps.isBusy,
    );
    const place = { steps, runAttempt: parts.steps.attempt(), step: facts.place.prefix.slice(0, -1) || undefined };
    const run = new AttemptRun(scope, place, emitter, this.clock, () => timer.progress(), facts.limits.runDeadlineMs);
    facts.onSteps?.(steps);
    try {
      const end = await this.settled(work(scope, run, steps), timer);
      const usage = run.end(end.kind === 'stopped' ? stopError(end.reason).message : 'the agent ended first');
      return { ...end, usage, atWork: end.atWork || (await this.leavesWork(steps)) };
    } finally {
      this.over = true;
      timer.stop();
      this.cancelGrace?.();
      await scope[Symbol.asyncDispose]();
      this.controller.abort(OVER); // whatever was left behind stops too
    }
  }

  private stepsIn(context: UserExecutionContext, onProgress: () => void): RunSteps {
    const { place } = this.facts;
    const isOver = () => this.over || place.isOver();
    const tell = () => {
      onProgress();
      place.onProgress();
    };
    return new RunSteps(context, { ...place, isOver, onProgress: tell }, this.parts.steps);
  }

  private async settled(work: Promise<unknown>, timer: AttemptTimer): Promise<AttemptEnd> {
    const { promise, resolve } = this.workEnd;
    work.then(
      (value) => resolve({ kind: 'returned', value, atWork: false }),
      (error: unknown) => resolve({ kind: 'threw', error, atWork: false }),
    );
    const end = await promise;
    const reason = this.stopReason ?? timer.passed();
    // without an end there is a reason: the grace period begins with a stop
    return end && !reason ? end : { kind: 'stopped', reason: reason!, atWork: !end };
  }

  /** Steps that were begun and not awaited are told to stop, and have the grace period for it as well. */
  private async leavesWork(steps: RunSteps): Promise<boolean> {
    if (!steps.isOpen) return false;
    this.beginGrace();
    this.controller.abort(OVER);
    const settled = steps.whenSettled().then(() => false);
    return Promise.race([settled, this.forcedEnd.promise.then(() => true)]);
  }

  private beginGrace(): void {
    this.cancelGrace ??= this.clock.after(this.parts.steps.config.runs.cancelGraceMs, () => {
      this.workEnd.resolve(undefined);
      this.forcedEnd.resolve();
    });
  }
}
