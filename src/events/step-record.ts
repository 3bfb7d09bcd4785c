import type { JsonValue } from '../shared/json.js';
import type { NewApproval } from './approval-record.js';
import type { RunError, Usage } from './run-error.js';

/**
 * What carries a step out: a function of an agent (`step`), a tool, a model, another agent, a whole pipeline or a group of steps in it, or
 * time (`sleep`) or a person (`ask`), for which the run is suspended.
 */
export type StepKind =
  'step' | 'tool' | 'model' | 'agent' | 'pipeline' | 'parallel' | 'race' | 'map' | 'loop' | 'sleep' | 'ask';

/**
 * What to do with a step that was under way when the process died: `read` → again, `idempotent` → again with the same
 * idempotency key, `once` → its owner is asked.
 */
export type StepEffect = 'read' | 'idempotent' | 'once';

export type StepOutcome = 'ok' | 'failed' | 'skipped' | 'cancelled';

/** `started`: under way, or it was when the process died. `waiting`: at rest while its run is suspended. */
export type StepState = 'started' | 'waiting' | StepOutcome;

/**
 * What is kept of one step of a run. Written together with the event that tells of it; the last one that was written for
 * a path counts.
 */
export interface StepRecord {
  /** Its place, unique within the run: `review/2:charge`. An agent's own steps are numbered in their order. */
  readonly path: string;
  readonly kind: StepKind;
  readonly effect: StepEffect;
  readonly state: StepState;
  /** Number of the current or last try, from 1; 0 for one that was skipped. */
  readonly attempts: number;
  /** Milliseconds since the Unix epoch, as all moments. */
  readonly startedAtMs: number;
  readonly endedAtMs?: number;
  /** `ok`: what it returned; undefined when it returned nothing. */
  readonly result?: JsonValue;
  /** `ok`: a fallback answered, in the step or inside it. */
  readonly degraded?: boolean;
  /** `failed`: why. */
  readonly error?: RunError;
  /** `skipped`, `cancelled`: why. */
  readonly reason?: string;
  /** What it says it used, in all its tries; what steps inside it used is with them. */
  readonly usage?: Usage;
  /** `sleep`: when it is over; `ask`: when the question expires. */
  readonly untilMs?: number;
  /** `ask`: the question. It is opened when the record is first written. */
  readonly approval?: NewApproval;
}
