import type { FallbackOptions } from '../../agents/agent-provider.js';
import type { RetryOptions } from '../../agents/retry-options.js';
import type { StepKind } from '../../events/step-record.js';
import type { JsonObject, JsonValue } from '../../shared/json.js';
import type { Formula } from './formula.js';

/** What a step does; groups have their steps inside. */
export type PlanWork =
  | { readonly kind: 'agent'; readonly agent: string; readonly input?: Formula; readonly fallback?: FallbackOptions }
  | { readonly kind: 'pipeline'; readonly plan: PipelinePlan; readonly input?: Formula }
  | { readonly kind: 'parallel' | 'race'; readonly steps: readonly PlanStep[] }
  | { readonly kind: 'map'; readonly over: Formula; readonly concurrency: number; readonly each: PlanWork }
  | { readonly kind: 'loop'; readonly each: PlanWork; readonly until: Formula; readonly max: number };

export interface PlanStep {
  readonly name: string;
  readonly dependsOn: readonly string[];
  /** Steps whose results it is given: those it depends on, directly or not, and those the groups around it do. */
  readonly sees: readonly string[];
  readonly when?: Formula;
  readonly continueOnError: boolean;
  /** Of `map` and `loop`: of each item, of each round. */
  readonly retry?: Readonly<RetryOptions>;
  readonly timeoutMs?: number;
  readonly work: PlanWork;
}

/**
 * A pipeline that was checked and can be carried out, whichever way it was written. Immutable, and the same for every
 * user.
 */
export interface PipelinePlan {
  readonly name: string;
  readonly description: string;
  readonly inputSchema: JsonObject;
  readonly steps: readonly PlanStep[];
  /** Undefined: the result of the last step. */
  readonly output?: Formula;
  readonly concurrency: number;
  /** The time limit of the whole run. */
  readonly deadlineMs?: number;
  /** Its steps and those inside them. */
  readonly stepCount: number;
  /** Contexts that its deepest step is inside of. */
  readonly depth: number;
  /**
   * What the steps are to see of an input as a client sends it.
   *
   * @throws CarrelError `invalid_input`, with `details.issues`
   */
  validate(input: unknown): Promise<unknown>;
}

/** A step for people and diagrams, as plain data. */
export interface StepOutline {
  readonly [key: string]: JsonValue | undefined;
  readonly name: string;
  readonly kind: StepKind;
  readonly dependsOn: readonly string[];
}

/** The graph of a plan. */
export function outlineOf(steps: readonly PlanStep[]): StepOutline[] {
  return steps.map(({ name, dependsOn, when, continueOnError, work }) => ({
    name,
    dependsOn,
    ...(when && { when: when.text }),
    ...(continueOnError && { continueOnError }),
    ...workOutline(work),
  }));
}

function workOutline(work: PlanWork): { readonly kind: StepKind } & JsonObject {
  const { kind } = work;
  switch (work.kind) {
    case 'agent':
      return { kind, agent: work.agent };
    case 'pipeline':
      return { kind, pipeline: work.plan.name, steps: outlineOf(work.plan.steps) };
    case 'parallel':
    case 'race':
      return { kind, steps: outlineOf(work.steps) };
    case 'map':
      return { kind, over: work.over.text, concurrency: work.concurrency, each: workOutline(work.each) };
    case 'loop':
      return { kind, until: work.until.text, max: work.max, each: workOutline(work.each) };
  }
}
