import type { StepCall } from '../agents/agent-run.js';
import { CarrelError } from '../shared/errors.js';
import type { ModelCall } from './model-step.js';
import type { StepHost } from './step-host.js';
import type { BegunStep } from './step-spec.js';
import { usageOfStep } from './step-usage.js';

/** What a model's step gives to its function. */
export function modelCall({ parts, place }: StepHost, { path }: BegunStep, call: StepCall): ModelCall {
  const emit = (work: () => Promise<void>): Promise<void> => {
    if (place.life.isOver()) return Promise.reject(new CarrelError('run_closed', 'the attempt is over'));
    place.life.onProgress();
    return work();
  };
  const used = usageOfStep();
  return {
    ...call,
    path,
    use: (usage) => used?.add(usage),
    delta: (text) => emit(() => parts.emitter.addDelta(parts.attempt(), text, path)),
    thinking: (thought) => emit(() => parts.emitter.emit('agent_thinking', parts.attempt(), { thought }, path)),
    warn: (warning) =>
      void emit(() => parts.emitter.emit('budget_warning', parts.attempt(), warning, path)).catch(() => undefined),
    alive: () => place.life.onProgress(),
  };
}
