import type { StepCall, StepOptions } from '../agents/agent-run.js';
import type { RunEventData } from '../events/run-event.js';
import type { JsonValue } from '../shared/json.js';

/** Of a model's step. Its effect is always `read`: to ask a model again changes nothing but the bill. */
export interface ModelStepOptions extends Pick<StepOptions, 'retry' | 'timeoutMs'> {
  /** It answers for another one, which has failed for good: `agent_fallback` tells so, and the run is `degraded`. */
  readonly fallback?: RunEventData['agent_fallback'];
}

/** What a model's step gives to its function. What it emits has the step's path. */
export interface ModelCall extends StepCall {
  /** Of the step. */
  readonly path: string;
  /** Adds to what the step reports as used. */
  use(usage: Readonly<Record<string, number>>): void;
  /** Emits `agent_message_delta`, as `AgentRun.delta` does. */
  delta(text: string): Promise<void>;
  /** Emits `agent_thinking`. */
  thinking(thought: string): Promise<void>;
  /** Emits `budget_warning`. */
  warn(warning: RunEventData['budget_warning']): void;
  /** A sign of life that nobody is told of. */
  alive(): void;
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
