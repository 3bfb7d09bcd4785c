import { AsyncLocalStorage } from 'node:async_hooks';
import { currentLogScope, runInLogScope } from './log-scope.js';

export type SpanKind = 'server' | 'client' | 'internal';
export type SpanAttributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** A piece of work in a trace. Never has what users said, unless the operator wants that. */
export interface TraceSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** W3C Trace Context, for whoever goes on with the trace. */
  readonly traceparent: string;
  set(attributes: SpanAttributes): void;
  /** @param code of the error table; no message, for it may have what users said */
  failed(code: string): void;
  child(name: string, kind: SpanKind, attributes: SpanAttributes): TraceSpan;
  end(): void;
}

const scope = new AsyncLocalStorage<TraceSpan>();

/** The span of what is being carried out; undefined where nothing is traced. */
export function currentSpan(): TraceSpan | undefined {
  return scope.getStore();
}

/** Calls `fn`; what it does, then and in everything that it starts, belongs to the span, and its log lines name it. */
export function runInSpan<Result>(span: TraceSpan, fn: () => Result): Result {
  const ids = { ...currentLogScope(), traceId: span.traceId, spanId: span.spanId };
  return runInLogScope(ids, () => scope.run(span, fn));
}

/** Carries out work in a span, which ends with it. */
export async function throughout<Result>(span: TraceSpan, work: () => Promise<Result>): Promise<Result> {
  try {
    return await runInSpan(span, work);
  } finally {
    span.end();
  }
}

/** What an outgoing request carries so that the other side can go on with the trace. */
export function traceHeaders(): { traceparent?: string } {
  const span = currentSpan();
  return span ? { traceparent: span.traceparent } : {};
}
