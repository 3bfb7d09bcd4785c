import type { AgentRun } from '../agents/agent-run.js';
import { CarrelError } from '../shared/errors.js';
import { AttemptRun } from './attempt-run.js';
import type { ModelSteps } from './model-step.js';

/**
 * The model steps of a run, for agents that are part of the server.
 *
 * @throws CarrelError `agent_failed` where the handle is not the engine's own, as in a worker
 */
export function modelsOf(run: AgentRun): ModelSteps {
  if (run instanceof AttemptRun) return run;
  throw new CarrelError('agent_failed', 'an agent that asks models has to run in the server’s own thread: no isolate', {
    retryable: false,
  });
}
