import type { FallbackOptions } from '../agents/agent-provider.js';
import type { RetryOptions } from '../agents/retry-options.js';
import type { StopSwitch } from '../context/stop-switch.js';
import type { UserExecutionContext } from '../context/user-execution-context.js';
import type { StepEffect, StepKind, StepRecord } from '../events/step-record.js';
import type { RunError } from '../events/run-error.js';
import type { JsonValue } from '../shared/json.js';

interface StepEndFacts {
  /** 0 when the step was skipped. */
  readonly attempts: number;
  readonly durationMs: number;
}

/** How a step ended. A run that is stopped or suspended meanwhile is not an end: the step's promise rejects then. */
export type StepEnd = StepEndFacts &
  (
    | { readonly outcome: 'ok'; readonly result: JsonValue | undefined }
    /** `cause`: what was thrown, or an error that stands for what was recorded. */
    | { readonly outcome: 'failed'; readonly error: RunError; readonly cause: unknown }
    | { readonly outcome: 'cancelled' | 'skipped'; readonly reason: string }
  );

export interface ScopedStep {
  /** The last part of its path; unique within the scope. */
  readonly name: string;
  readonly retry?: RetryOptions;
  /** Of one attempt. */
  readonly timeoutMs?: number;
  /** Ends this step alone, as `cancelled`: for those that have lost a race. */
  readonly stop?: StopSwitch;
}

export interface GroupStep extends ScopedStep {
  readonly kind: Extract<StepKind, 'pipeline' | 'parallel' | 'race' | 'map' | 'loop'>;
}

export interface AgentStep extends ScopedStep {
  readonly agent: string;
  readonly input: unknown;
  /** @default the agent's own */
  readonly fallback?: FallbackOptions;
  /** @default the agent's */
  readonly effect?: StepEffect;
  /** It answers for something else, which has failed. */
  readonly insteadOf?: { readonly name: string; readonly reason: string };
}

/**
 * Where a run's steps are carried out and recorded: a run has one, and every step that has steps itself has one inside it,
 * with a context one deeper. What is recorded as ended is not done again: its end is returned at once, and no event is
 * emitted. Steps run in the run's own place in its lane.
 */
export interface StepScope {
  readonly context: UserExecutionContext;
  /** Aborted when the run is stopped or suspended, or the step that this scope belongs to is. */
  readonly signal: AbortSignal;

  /** Throws the signal's reason once it is aborted. */
  throwIfStopped(): void;

  /** Carries out a step that consists of steps. `work` is given the scope inside it; what it throws fails the step. */
  group(step: GroupStep, work: (scope: StepScope) => Promise<JsonValue | undefined>): Promise<StepEnd>;

  /** Has an agent carry out a step. */
  agent(step: AgentStep): Promise<StepEnd>;

  /** Records a step that is not carried out. */
  skip(step: { name: string; kind: StepKind }, reason: string): Promise<StepEnd>;

  /**
   * What is recorded inside one of this scope's steps, at any depth, in no particular order; paths are relative to the
   * step. For groups that had ended before this run went on, whose work is not done again.
   */
  inside(name: string): readonly StepRecord[];
}
