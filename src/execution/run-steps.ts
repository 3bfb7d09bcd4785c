import type { Ask, SpawnOptions, StepCall, StepOptions } from '../agents/agent-run.js';
import type { UserExecutionContext } from '../context/user-execution-context.js';
import type { ApprovalAnswer } from '../events/approval-record.js';
import type { StepKind, StepRecord } from '../events/step-record.js';
import { CarrelError } from '../shared/errors.js';
import type { JsonValue } from '../shared/json.js';
import { callAgentStep } from './agent-step.js';
import { beginStep } from './begin-step.js';
import { callToolStep } from './call-tool-step.js';
import { endStep, leaveStepOpen, type StepWorkEnd } from './end-step.js';
import { performFunction } from './function-step.js';
import { modelCall } from './model-call.js';
import type { ModelCall, ModelStepOptions } from './model-step.js';
import { placeInside, type ScopePlace } from './scope-place.js';
import { StepInProgress, type StepHost, type StepParts } from './step-host.js';
import type { AgentStep, GroupStep, StepEnd, StepScope } from './step-scope.js';
import type { BegunStep, StepSpec } from './step-spec.js';
import type { OpenStep } from './step-waits.js';
import type { ToolStep } from './tool-step.js';
import { traceStep } from './tracing/step-span.js';
import { askStep, sleepStep } from './waiting-step.js';

/** The steps of a run, of an agent inside it or of a group: carried out once, recorded, and found again. */
export class RunSteps implements StepScope, StepHost, OpenStep {
  private position = 0;
  private open: Set<StepInProgress> | undefined;

  constructor(
    readonly context: UserExecutionContext,
    readonly place: ScopePlace,
    readonly parts: StepParts,
  ) {}

  get signal(): AbortSignal {
    return this.context.signal;
  }

  throwIfStopped(): void {
    this.context.throwIfStopped();
  }

  /** True when there are steps under way, and nothing happens in any of them until somebody answers or time passes. */
  atRest(): boolean {
    return Boolean(this.open?.size) && this.steps().every((step) => step.atRest());
  }

  /** True while agents or groups are at work in here, who are watched themselves. */
  get isBusy(): boolean {
    return this.steps().some(({ inside, resting, isWatched }) => {
      return resting || (isWatched ? inside?.isBusy : inside !== undefined);
    });
  }

  /** True while there are steps whose ends are still to be recorded. */
  get isOpen(): boolean {
    return this.awaited().length > 0;
  }

  /** The attempt is over: what must not stay open is told to be over. */
  leaveOpen(): void {
    if (this.open) for (const step of this.open) step.leave?.();
  }

  /** Resolves when nothing of it is under way any more. */
  async whenSettled(): Promise<void> {
    for (let open = this.awaited(); open.length > 0; open = this.awaited())
      await Promise.all(open.map((step) => step.whenSettled()));
  }

  /** `AgentRun.step` */
  perform(name: string, work: (call: StepCall) => unknown, options: StepOptions): Promise<StepEnd> {
    const spec = { path: this.nextPath(name), kind: 'step', effect: options.effect ?? 'once' } as const;
    return this.carryOut(spec, (begun) => performFunction(this, begun, options, work));
  }

  /** `ModelSteps.model` */
  model(
    name: string,
    work: (call: ModelCall) => unknown,
    { fallback, ...limits }: ModelStepOptions = {},
  ): Promise<StepEnd> {
    const spec = { path: this.nextPath(name), kind: 'model', effect: 'read', isAhead: true } as const;
    return this.carryOut(spec, async (begun) => {
      if (fallback) await this.parts.emitter.emit('agent_fallback', this.parts.attempt(), fallback, begun.path);
      const end = await performFunction(this, begun, limits, (call) => work(modelCall(this, begun, call)));
      return end.outcome === 'ok' && fallback ? { ...end, degraded: true } : end;
    });
  }

  /** `AgentRun.spawn` */
  spawn(agent: string, input: unknown, { name = agent, ...options }: SpawnOptions): Promise<StepEnd> {
    return this.agentStep({ path: this.nextPath(name) }, { ...options, name, agent, input });
  }

  /** `AgentRun.sleep` */
  async sleep(ms: number): Promise<void> {
    const spec = { path: this.nextPath('sleep'), kind: 'sleep', effect: 'read' } as const;
    await this.track((step) => sleepStep(this, step, spec, ms));
  }

  /** `AgentRun.ask` */
  ask(question: Ask): Promise<ApprovalAnswer> {
    const path = this.nextPath(question.kind);
    return this.track((step) => askStep(this, step, path, question));
  }

  /** `UserTools.call` */
  tool(step: ToolStep): Promise<StepEnd> {
    const path = this.nextPath(step.name);
    return this.track((inProgress) =>
      callToolStep(this, inProgress, path, step, {
        scopeInside: (begun, signal) => this.scopeInside(begun, step.name, signal),
        carryOut: (spec, work) => this.carryOutTracked(inProgress, spec, work),
      }),
    );
  }

  agent(step: AgentStep): Promise<StepEnd> {
    return this.agentStep({ path: this.place.prefix + step.name, isAhead: true }, step);
  }

  group(step: GroupStep, work: (scope: StepScope) => Promise<JsonValue | undefined>): Promise<StepEnd> {
    const spec = { path: this.place.prefix + step.name, kind: step.kind, effect: 'read', isAhead: true } as const;
    return this.carryOut(spec, (begun, inProgress) =>
      performFunction(this, begun, { ...step, isGroup: true }, ({ signal }) => {
        const scope = this.scopeInside(begun, step.name, signal);
        inProgress.inside = scope;
        return work(scope);
      }),
    );
  }

  inside(name: string): readonly StepRecord[] {
    return this.parts.log.inside(this.place.prefix + name);
  }

  skip({ name, kind }: { name: string; kind: StepKind }, reason: string): Promise<StepEnd> {
    const spec: StepSpec = { path: this.place.prefix + name, kind, effect: 'read', silent: true, isAhead: true };
    return this.carryOut(spec, async () => ({ outcome: 'skipped', reason, attempts: 0 }));
  }

  /**
   * Keeps account of a step that is under way.
   *
   * @throws the signal's reason when the scope's run or step has been stopped
   */
  async track<Result>(work: (step: StepInProgress) => Promise<Result>): Promise<Result> {
    const step = this.enter();
    try {
      return await work(step);
    } finally {
      this.leave(step);
    }
  }

  private enter(): StepInProgress {
    this.throwIfStopped();
    this.place.life.onProgress();
    const step = new StepInProgress();
    (this.open ??= new Set()).add(step);
    return step;
  }

  private leave(step: StepInProgress): void {
    this.open?.delete(step);
    step.settle();
    this.place.life.onProgress();
    this.parts.waits.changed();
  }

  private steps(): StepInProgress[] {
    return this.open ? [...this.open] : [];
  }

  private awaited(): StepInProgress[] {
    return this.steps().filter(({ detached }) => !detached);
  }

  private agentStep(place: Pick<StepSpec, 'path' | 'isAhead'>, step: AgentStep): Promise<StepEnd> {
    const effect = step.effect ?? this.parts.registry.find(step.agent)?.effect ?? 'once';
    // what rested with its run is only entered again: it was told of when it began
    const isNew = this.parts.log.find(place.path)?.state !== 'waiting';
    return this.carryOut({ ...place, kind: 'agent', effect, subject: step.agent }, async (begun, inProgress) => {
      if (step.insteadOf && isNew) await this.tellFallback(step.insteadOf, step.agent, begun);
      const end = await callAgentStep(this, begun, inProgress, step);
      return end.outcome === 'ok' && step.insteadOf ? { ...end, degraded: true } : end;
    });
  }

  private tellFallback({ name, reason }: NonNullable<AgentStep['insteadOf']>, to: string, begun: BegunStep) {
    return this.parts.emitter.emit('agent_fallback', this.parts.attempt(), { from: name, to, reason }, begun.path);
  }

  private async carryOut(
    spec: StepSpec,
    work: (begun: BegunStep, step: StepInProgress) => Promise<StepWorkEnd>,
  ): Promise<StepEnd> {
    const step = this.enter();
    try {
      return await this.carryOutTracked(step, spec, work);
    } finally {
      this.leave(step);
    }
  }

  private async carryOutTracked(
    step: StepInProgress,
    spec: StepSpec,
    work: (begun: BegunStep, step: StepInProgress) => Promise<StepWorkEnd>,
  ): Promise<StepEnd> {
    const begun = await beginStep(this, step, spec);
    if ('outcome' in begun) return begun;
    const leave = this.parts.log.enter(begun.path);
    let end: StepWorkEnd;
    try {
      end = await traceStep(begun, () => work(begun, step));
    } catch (error) {
      leaveStepOpen(this, begun);
      throw error;
    } finally {
      leave();
      step.leave = undefined;
    }
    return endStep(this, begun, end);
  }

  private scopeInside({ record }: BegunStep, name: string, signal: AbortSignal): RunSteps {
    return new RunSteps(this.context.child(name, { signal }), placeInside(this.place, record), this.parts);
  }

  /** An agent's steps are known by their order: the number is part of the path, and the name is for people. */
  private nextPath(name: string): string {
    if (typeof name !== 'string' || !/^[^/:\p{C}]{1,64}$/u.test(name)) {
      throw new CarrelError('agent_failed', 'a step needs a name of 1 to 64 characters, without "/" and ":"', {
        retryable: false,
      });
    }
    return `${this.place.prefix}${++this.position}:${name}`;
  }
}
