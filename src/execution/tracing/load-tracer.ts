import { CarrelError } from '../../shared/errors.js';
import type { TraceSpan } from '../../shared/trace-span.js';
import { OtelSpan, type SpanStart } from './otel-span.js';

/** A tracer, and what ends it: what is not sent yet is sent then. */
export interface LoadedTracer {
  /** @param parent a `traceparent`, as it came */
  start(name: string, start: SpanStart, parent?: string): TraceSpan;
  shutdown(): Promise<void>;
}

/**
 * Loads OpenTelemetry's SDK, which is not loaded otherwise. Its own variables count as well: `OTEL_TRACES_SAMPLER`,
 * `OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_BSP_…`. Several applications in a process have a tracer each: nothing global is set.
 *
 * @throws CarrelError `invalid_config` when it is not installed
 */
export async function loadTracer(endpoint: string, serviceName: string): Promise<LoadedTracer> {
  const [{ BasicTracerProvider, BatchSpanProcessor }, { resourceFromAttributes }, { OTLPTraceExporter }] =
    await Promise.all([
      import('@opentelemetry/sdk-trace-base'),
      import('@opentelemetry/resources'),
      import('@opentelemetry/exporter-trace-otlp-http'),
    ]).catch((cause: unknown) => {
      const packages = ['sdk-trace-base', 'resources', 'exporter-trace-otlp-http'].map(
        (name) => `@opentelemetry/${name}`,
      );
      const text = `OTEL_EXPORTER_OTLP_ENDPOINT is set, but what sends traces is not installed: npm install ${packages.join(' ')}`;
      throw new CarrelError('invalid_config', text, { cause });
    });
  const exporter = new OTLPTraceExporter({ url: `${endpoint.replace(/\/+$/, '')}/v1/traces` });
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ 'service.name': serviceName }),
    spanProcessors: [new BatchSpanProcessor(exporter)],
  });
  const tracer = provider.getTracer('carrel');
  return {
    start: (name, start, parent) => OtelSpan.start(tracer, name, start, parent),
    shutdown: () => provider.shutdown(),
  };
}
