import type { AgentRun, StepCall, StepOptions } from '../agents/agent-run.js';
import type { RunEventData } from '../events/run-event.js';
import { CarrelError } from '../shared/errors.js';
import type { JsonValue } from '../shared/json.js';
import { AttemptRun } from './attempt-run.js';

/** Of a model's step. Its effect is always `read`: to ask a model again changes nothing but the bill. */
export interface ModelStepOptions extends Pick<StepOptions, 'retry' | 'timeoutMs'> {
  /** It answers for another one, which has failed for good: `agent_fallback` tells so, and the run is `degraded`. */
  readonly fallback?: { readonly from: string; readonly reason: string };
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

/**
 * The model steps of a run, for agents that are part of the server.
 *
 * @throws CarrelError `agent_failed` where the handle is not the engine's own, as in a worker
 */
export function modelStepsOf(run: AgentRun): ModelSteps {
  if (run instanceof AttemptRun) return run;
  throw new CarrelError('agent_failed', 'an agent that asks models has to run in the server’s own thread: no isolate', {
    retryable: false,
  });
}
