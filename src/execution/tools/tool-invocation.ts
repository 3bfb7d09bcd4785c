import type { CallId } from '../../shared/ids.js';
import { resultOfStep } from '../step-result.js';
import type { ToolCaller, ToolStepCall } from '../tool-step.js';
import type { ToolSampler } from './tool-sampler.port.js';
import type { ToolInvocation } from './tool-source.port.js';

interface InvocationFacts extends ToolCaller {
  readonly callId: CallId;
  readonly call: ToolStepCall;
  readonly sampler: ToolSampler | undefined;
}

/** A call under way, as its source sees it. */
export function invocationOf({ steps, scope, agent, callId, call, sampler }: InvocationFacts): ToolInvocation {
  const { attempt, idempotencyKey, signal } = call;
  return {
    context: steps.context,
    scope,
    agent,
    callId,
    attempt,
    idempotencyKey,
    signal,
    async progress(progress, message) {
      await call.progress({ callId, progress: Math.min(1, Math.max(0, Number(progress) || 0)), message });
    },
    async ask(question) {
      return call.inside().ask(question);
    },
    ...(sampler && {
      async sample(request) {
        const inside = call.inside();
        return sampler.sample(inside.context, request, {
          model: (name, work, options) => resultOfStep(inside.model(name, work, options)) as Promise<never>,
        });
      },
    }),
  };
}
