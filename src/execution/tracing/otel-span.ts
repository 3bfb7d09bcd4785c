import {
  isSpanContextValid,
  ROOT_CONTEXT,
  SpanKind as OtelKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Context,
  type Span,
  type Tracer,
} from '@opentelemetry/api';
import type { SpanAttributes, SpanKind, TraceSpan } from '../../shared/trace-span.js';

const KINDS = { server: OtelKind.SERVER, client: OtelKind.CLIENT, internal: OtelKind.INTERNAL } as const;
const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

export interface SpanStart {
  readonly kind: SpanKind;
  readonly attributes: SpanAttributes;
  /** When it began, if not now: milliseconds since the Unix epoch. */
  readonly startMs?: number;
}

/** A span of OpenTelemetry. */
export class OtelSpan implements TraceSpan {
  private constructor(
    private readonly tracer: Tracer,
    private readonly span: Span,
  ) {}

  /** @param parent a `traceparent`, as it came; what is malformed begins a new trace */
  static start(tracer: Tracer, name: string, start: SpanStart, parent?: string): OtelSpan {
    return new OtelSpan(tracer, startSpan(tracer, name, start, contextOf(parent)));
  }

  get traceId(): string {
    return this.span.spanContext().traceId;
  }

  get spanId(): string {
    return this.span.spanContext().spanId;
  }

  get traceparent(): string {
    const { traceId, spanId, traceFlags } = this.span.spanContext();
    return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
  }

  set(attributes: SpanAttributes): void {
    this.span.setAttributes(attributes);
  }

  failed(code: string): void {
    this.span.setStatus({ code: SpanStatusCode.ERROR, message: code }).setAttribute('error.type', code);
  }

  child(name: string, kind: SpanKind, attributes: SpanAttributes): OtelSpan {
    const parent = trace.setSpan(ROOT_CONTEXT, this.span);
    return new OtelSpan(this.tracer, startSpan(this.tracer, name, { kind, attributes }, parent));
  }

  end(): void {
    this.span.end();
  }
}

function startSpan(tracer: Tracer, name: string, { kind, attributes, startMs }: SpanStart, parent: Context): Span {
  return tracer.startSpan(name, { kind: KINDS[kind], attributes, startTime: startMs }, parent);
}

function contextOf(traceparent: string | undefined): Context {
  const [, traceId, spanId, flags] = TRACEPARENT.exec(traceparent ?? '') ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return ROOT_CONTEXT;
  const traceFlags = Number.parseInt(flags, 16) & TraceFlags.SAMPLED;
  const parent = { traceId, spanId, traceFlags, isRemote: true };
  return isSpanContextValid(parent) ? trace.setSpanContext(ROOT_CONTEXT, parent) : ROOT_CONTEXT;
}
