import type { AgentDefinition } from '../agents/agent-definition.js';
import type { StopSwitch } from '../context/stop-switch.js';
import { stopError, type StopReason } from './stop-reason.js';
import type { BegunStep } from './step-spec.js';
import type { StepWorkEnd } from './end-step.js';
import { reasonOf } from './function-step.js';
import type { NestedCall } from './nested-call.js';
import { placeInside } from './scope-place.js';
import type { StepHost, StepInProgress } from './step-host.js';
import type { AgentStep } from './step-scope.js';

/**
 * Has an agent carry out a step, in a context one deeper and a DI sub-tree of its own.
 *
 * @throws the scope's own reason when its run or step is stopped
 */
export async function callAgentStep(
  host: StepHost,
  begun: BegunStep,
  inProgress: StepInProgress,
  step: AgentStep,
): Promise<StepWorkEnd> {
  const { attempts: first } = begun.record;
  let call: NestedCall;
  let last: number;
  try {
    const definition = withOptionsOf(step, host.parts.registry.get(step.agent));
    last = first + (definition.retry?.attempts ?? host.parts.config.runs.retryAttempts) - 1;
    call = host.parts.nestedCall({
      definition,
      context: host.context.child(step.name),
      place: placeInside(host.place, begun.record),
      observer: inProgress,
    });
  } catch (cause) {
    return { outcome: 'failed', cause, attempts: first };
  }
  const stop = (error: unknown) => call.stop({ kind: 'above', error });
  const unlink = [host.context.onStop(stop), step.stop?.onStop(stop)];
  try {
    const end = await call.carryOut(step.input, { first, last });
    if (host.context.isStopped && end.kind === 'stopped' && end.usage) host.parts.noteUsage(end.usage);
    return { ...workEndOf(end, host, step.stop), usage: end.usage };
  } finally {
    for (const off of unlink) off?.();
  }
}

function withOptionsOf({ retry, timeoutMs, fallback }: AgentStep, definition: AgentDefinition): AgentDefinition {
  if (!retry && timeoutMs === undefined && !fallback) return definition;
  return {
    ...definition,
    retry: retry ? { ...definition.retry, ...retry } : definition.retry,
    timeoutMs: timeoutMs ?? definition.timeoutMs,
    fallback: fallback ?? definition.fallback,
  };
}

function workEndOf(
  end: Awaited<ReturnType<NestedCall['carryOut']>>,
  host: StepHost,
  own: StopSwitch | undefined,
): StepWorkEnd {
  const { attempt: attempts } = end;
  switch (end.kind) {
    case 'returned':
      return { outcome: 'ok', value: end.value, isPlain: true, degraded: end.degraded || undefined, attempts };
    case 'failed':
      return { outcome: 'failed', cause: end.cause, error: end.error, attempts };
    case 'stopped':
      host.context.throwIfStopped();
      if (own?.aborted) return { outcome: 'cancelled', reason: reasonOf(own), attempts };
      return { outcome: 'failed', cause: stopped(end.reason), attempts };
  }
}

function stopped(reason: StopReason): unknown {
  return reason.kind === 'above' ? reason.error : stopError(reason);
}
