import type { StepCall, StepOptions } from '../agents/agent-run.js';
import type { JsonValue } from '../shared/json.js';

/** Of a model's step. Its effect is always `read`: to ask a model again changes nothing but the bill. */
export type ModelStepOptions = Pick<StepOptions, 'retry' | 'timeoutMs'>;

/** What a model's step gives to its function. */
export interface ModelCall extends StepCall {
  /** Adds to what the step reports as used. */
  use(usage: Readonly<Record<string, number>>): void;
}

/** Where models are asked as steps of a run: recorded with what they have used, and not asked again when the run goes on. */
export interface ModelSteps {
  /**
   * Carries out a step of kind `model`.
   *
   * @throws CarrelError `step_timed_out`; `nondeterministic_agent`; `too_many_steps`; otherwise what `work` throws
   */
  model<Result extends JsonValue>(
    name: string,
    work: (call: ModelCall) => Promise<Result>,
    options?: ModelStepOptions,
  ): Promise<Result>;
}
