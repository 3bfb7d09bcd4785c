import { currentSpan, throughout, type SpanAttributes, type SpanKind } from '../../shared/trace-span.js';
import type { StepWorkEnd } from '../end-step.js';
import { toRunError } from '../run-failure.js';
import type { BegunStep } from '../step-spec.js';

/** Carries out a step's work in a span of its own, where something is traced: named as the GenAI conventions have it. */
export function traceStep(begun: BegunStep, work: () => Promise<StepWorkEnd>): Promise<StepWorkEnd> {
  const above = currentSpan();
  if (!above) return work();
  const { name, kind, attributes } = spanOf(begun);
  const span = above.child(name, kind, attributes);
  return throughout(span, async () => {
    const end = await work();
    span.set({ 'carrel.step.outcome': end.outcome, 'carrel.step.attempts': end.attempts });
    if (end.outcome === 'failed') {
      const { code } = end.error ?? toRunError(end.cause, { agent: begun.path, attempt: end.attempts });
      span.failed(code);
    }
    return end;
  });
}

/** The same for a tool that an agent has as a function of its own, which is no step. */
export function traceToolFunction<Result>(tool: string, work: () => Promise<Result>): Promise<Result> {
  const above = currentSpan();
  if (!above) return work();
  const { name, kind, attributes } = operation('execute_tool', tool, 'internal', { 'gen_ai.tool.name': tool });
  return throughout(above.child(name, kind, attributes), work);
}

function spanOf({ path, kind, subject = nameIn(path) }: BegunStep): {
  name: string;
  kind: SpanKind;
  attributes: SpanAttributes;
} {
  const step = { 'carrel.step.path': path };
  if (kind === 'agent')
    return operation('invoke_agent', subject, 'internal', { ...step, 'gen_ai.agent.name': subject });
  if (kind === 'tool') return operation('execute_tool', subject, 'internal', { ...step, 'gen_ai.tool.name': subject });
  if (kind === 'model') return operation('chat', subject, 'client', { ...step, 'gen_ai.request.model': subject });
  return { name: `${kind} ${subject}`, kind: 'internal', attributes: step };
}

function operation(operationName: string, subject: string, kind: SpanKind, attributes: SpanAttributes) {
  return {
    name: `${operationName} ${subject}`,
    kind,
    attributes: { 'gen_ai.operation.name': operationName, ...attributes },
  };
}

/** `review/2:charge` → `charge` */
function nameIn(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1).replace(/^\d+:/, '');
}
