import type { StepEffect, StepKind, StepRecord } from '../events/step-record.js';
import { CarrelError } from '../shared/errors.js';
import type { StepTelling } from './step-telling.js';

export interface StepSpec {
  readonly path: string;
  readonly kind: StepKind;
  readonly effect: StepEffect;
  /** What is called, for traces: an agent's name, for instance. @default the name in the path */
  readonly subject?: string;
  /** Nobody is told that it begins. */
  readonly silent?: boolean;
  /**
   * What follows need not wait until its end is on disk, which is on its way there: the steps of a pipeline, whose code
   * between the steps has no effects, answers of models, and calls of tools that only read. Whatever has effects after
   * them begins when they are on disk. Not for what must be done once itself.
   */
  readonly isAhead?: boolean;
  /** @default `step_started` and `step_completed` */
  readonly telling?: StepTelling;
}

/** A step that is to be carried out now. */
export interface BegunStep extends StepSpec {
  /** What is recorded of it, or will be when something inside it waits. */
  readonly record: StepRecord;
}

/** @throws CarrelError `nondeterministic_agent`, naming both, when another step is recorded in this one's place */
export function refuseOther(recorded: StepRecord, { path, kind }: Pick<StepSpec, 'path' | 'kind'>): void {
  if (recorded.path === path && recorded.kind === kind) return;
  const text = `the agent does not repeat its steps: "${recorded.path}" (${recorded.kind}) was recorded where it has "${path}" (${kind}) now`;
  throw new CarrelError('nondeterministic_agent', text, { details: { recorded: recorded.path, now: path } });
}
