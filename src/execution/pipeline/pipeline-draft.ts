import type { AgentClass, FallbackOptions } from '../../agents/agent-provider.js';
import type { RetryOptions } from '../../agents/retry-options.js';
import type { JsonValue } from '../../shared/json.js';
import type { FunctionFormula } from './formula.js';

/** An expression as data, or a function of a pipeline's class. */
export type Slot = JsonValue | FunctionFormula;

/** Any class; what it is declared as says whether it is an agent or a pipeline. */
export type AnyClass = abstract new (...args: never[]) => unknown;

/** One of the kinds of work that there are, from data or from a class; `PipelineSpec` is one of these. */
export interface WorkDraft {
  readonly agent?: string | AgentClass;
  readonly pipeline?: string | AnyClass | PipelineDraft;
  readonly input?: Slot;
  readonly parallel?: readonly StepDraft[];
  readonly race?: readonly StepDraft[];
  readonly map?: { readonly over: Slot; readonly concurrency?: number; readonly step: WorkDraft };
  readonly loop?: { readonly step: WorkDraft; readonly until: Slot; readonly max: number };
}

export interface StepDraft extends WorkDraft {
  readonly name: string;
  readonly dependsOn?: readonly string[];
  readonly when?: Slot;
  readonly continueOnError?: boolean;
  readonly retry?: RetryOptions;
  readonly timeoutMs?: number;
  readonly fallback?: FallbackOptions;
}

/** A pipeline before it was checked. */
export interface PipelineDraft {
  readonly name?: string;
  readonly description?: string;
  readonly steps: readonly StepDraft[];
  readonly output?: Slot;
  readonly concurrency?: number;
}
