import type { Ask } from '../../agents/agent-run.js';
import type { ExecutionScope } from '../../context/execution-scope.js';
import type { CallId } from '../../shared/ids.js';
import { CarrelError } from '../../shared/errors.js';
import type { ModelSteps } from '../model-step.js';
import type { RunSteps } from '../run-steps.js';
import { resultOfStep } from '../step-result.js';
import type { ToolStepCall } from '../tool-step.js';
import type { ToolSampler } from './tool-sampler.port.js';
import type { ToolInvocation } from './tool-source.port.js';

interface InvocationFacts {
  readonly steps: RunSteps;
  readonly scope: ExecutionScope;
  readonly agent: string;
  readonly callId: CallId;
  readonly path: string;
  readonly call: ToolStepCall;
  readonly sampler: ToolSampler | undefined;
}

/** A call under way, as its source sees it. */
export function invocationOf({ steps, scope, agent, callId, path, call, sampler }: InvocationFacts): ToolInvocation {
  const { context, parts, place } = steps;
  const { attempt, idempotencyKey, signal } = call;
  const assertOpen = () => {
    if (place.life.isOver()) throw new CarrelError('run_closed');
    signal.throwIfAborted();
  };
  return {
    context,
    scope,
    agent,
    callId,
    attempt,
    idempotencyKey,
    signal,
    async progress(progress, message) {
      assertOpen();
      place.life.onProgress();
      const told = { callId, progress: Math.min(1, Math.max(0, Number(progress) || 0)), message };
      await parts.emitter.emit('tool_progress', parts.attempt(), told, path);
    },
    async ask(question: Ask) {
      assertOpen();
      return call.inside().ask(question);
    },
    ...(sampler && {
      async sample(request) {
        assertOpen();
        const inside = call.inside();
        const models: ModelSteps = {
          model: (name, work, options) => resultOfStep(inside.model(name, work, options)) as Promise<never>,
        };
        return sampler.sample(inside.context, request, models);
      },
    }),
  };
}
