import type { FallbackOptions } from '../../agents/agent-provider.js';
import type { RetryOptions } from '../../agents/retry-options.js';
import type { JsonValue } from '../../shared/json.js';

/**
 * A value that follows from what is known when a step begins: JSON Logic (`{ "var": "steps.triage.score" }`), or plain data
 * with JSON Logic anywhere inside. It sees `input` (the pipeline's), `steps` (results by step, of those the step depends
 * on, directly or not; null for one without a result) and, inside of `map` and `loop`, `item`, `index` (from 0) and
 * `last`. Inside of an operator that walks through a list, `var` sees the item, and `../../` before a path leads out.
 *
 * Operators are `var`, `if`, `and`, `or`, `??`, `!`, `!!`, `==`, `!=`, `===`, `!==`, `<`, `<=`, `>`, `>=`, `+`, `-`, `*`,
 * `/`, `%`, `min`, `max`, `cat`, `substr`, `in`, `length`, `keys`, `merge`, `map`, `filter`, `reduce`, `all`, `some` and
 * `none`; an object with one of these as its only key is logic, unless it is inside of `{ "preserve": … }`.
 */
type Expression = JsonValue;

/** What every step has. */
interface StepSpecBase {
  /** Unique among its siblings: letters, digits, `-`, `_`; it is a part of the step's path. */
  readonly name: string;
  /** Siblings that must have ended first, whichever way; the result of one that did not end well is null. */
  readonly dependsOn?: readonly string[];
  /** The step is skipped when this is false; one that throws fails it. */
  readonly when?: Expression;
  /** The pipeline goes on when the step fails. @default false */
  readonly continueOnError?: boolean;
  /** Of `map` and `loop`: of each item, of each round. */
  readonly retry?: RetryOptions;
  /** Of one attempt; of `map` and `loop` likewise. */
  readonly timeoutMs?: number;
  /** With an agent only, also one that `map` or `loop` repeats. */
  readonly fallback?: FallbackOptions;
}

/** What a step does. `input` is the pipeline's own unless it is given. */
type StepWork =
  | { readonly agent: string; readonly input?: Expression }
  | { readonly pipeline: string | PipelineSpec; readonly input?: Expression }
  /** All at once, so none depends on another; its result has theirs by name. */
  | { readonly parallel: readonly StepSpec[] }
  /** The first that ends well wins; the others are cancelled. */
  | { readonly race: readonly StepSpec[] }
  /** Once for every item of a list, in its order. */
  | { readonly map: { readonly over: Expression; readonly concurrency?: number; readonly step: StepWork } }
  /** Again and again until `until` holds of `last`, at most `max` times; its result is the last round's. */
  | { readonly loop: { readonly step: StepWork; readonly until: Expression; readonly max: number } };

export type StepSpec = StepSpecBase & StepWork;

/** A pipeline as data: a directed graph of steps. */
export interface PipelineSpec {
  /** @default 'inline' */
  readonly name?: string;
  readonly description?: string;
  readonly steps: readonly StepSpec[];
  /** @default the result of the last step of the list */
  readonly output?: Expression;
  /** Steps that may be at work at once. @default 8 */
  readonly concurrency?: number;
}
