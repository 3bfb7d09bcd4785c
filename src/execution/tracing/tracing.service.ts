import { Logger, type OnApplicationShutdown } from '@nestjs/common';
import type { CarrelConfig } from '../../config/config.js';
import { redact } from '../../events/redaction.js';
import { throughout, type SpanAttributes, type TraceSpan } from '../../shared/trace-span.js';
import type { JsonValue } from '../../shared/json.js';
import type { ClaimedRun } from '../run-store.port.js';
import type { LoadedTracer } from './load-tracer.js';
import type { SpanStart } from './otel-span.js';

/** Longer contents are cut. */
const MAX_CONTENT_CHARS = 4_096;

/** Begins traces, or goes on with those that others began. Off unless it is configured: then nothing is loaded, and nothing made. */
export class Tracing implements OnApplicationShutdown {
  private readonly logger = new Logger(Tracing.name);

  private constructor(
    private readonly loaded: LoadedTracer | undefined,
    private readonly hasContent: boolean,
  ) {}

  /** @throws CarrelError `invalid_config` */
  static async open({ traces }: Pick<CarrelConfig, 'traces'>): Promise<Tracing> {
    if (!traces) return new Tracing(undefined, false);
    const { loadTracer } = await import('./load-tracer.js');
    return new Tracing(await loadTracer(traces.endpoint, traces.serviceName), traces.content);
  }

  /** What was not sent yet is sent; whoever does not take it is not waited for beyond the SDK's own limit. */
  async onApplicationShutdown(): Promise<void> {
    await this.loaded
      ?.shutdown()
      .catch((err: unknown) => this.logger.warn({ err }, 'the last traces could not be sent'));
  }

  get isOn(): boolean {
    return this.loaded !== undefined;
  }

  /** @param parent a `traceparent` */
  start(name: string, start: SpanStart, parent?: string): TraceSpan | undefined {
    return this.loaded?.start(name, start, parent);
  }

  /** Carries out a request of a client in a span of its own. */
  request<Result>(
    name: string,
    parent: string | undefined,
    work: (span?: TraceSpan) => Promise<Result>,
  ): Promise<Result> {
    const span = this.start(name, { kind: 'server', attributes: {} }, parent);
    return span ? throughout(span, () => work(span)) : work();
  }

  /** Carries out a run in a span of the trace that asked for it, in whatever process that was; its wait has one as well. */
  run(run: ClaimedRun, work: () => Promise<void>): Promise<void> {
    const parent = run.origin.traceparent;
    const attributes = attributesOf(run);
    if (run.attempt <= 1 && !run.resumed) {
      this.start(`queue ${run.agent}`, { kind: 'internal', attributes, startMs: run.createdAtMs }, parent)?.end();
    }
    const span = this.start(`invoke_agent ${run.agent}`, { kind: 'internal', attributes }, parent);
    if (!span) return work();
    if (this.hasContent) span.set({ 'gen_ai.input.messages': contentOf(run.input) });
    return throughout(span, work);
  }

  /** The result of a run, if the operator wants it there. */
  resultOf(result: JsonValue | undefined): SpanAttributes {
    return this.hasContent && result !== undefined ? { 'gen_ai.output.messages': contentOf(result) } : {};
  }
}

function attributesOf({ id, agent, threadId, attempt, pipeline }: ClaimedRun): SpanAttributes {
  return {
    'gen_ai.operation.name': 'invoke_agent',
    'gen_ai.agent.name': agent,
    'gen_ai.conversation.id': threadId,
    'carrel.run.id': id,
    'carrel.run.attempt': attempt,
    'carrel.run.kind': pipeline === undefined ? 'agent' : 'pipeline',
  };
}

function contentOf(value: JsonValue): string {
  return JSON.stringify(redact(value)).slice(0, MAX_CONTENT_CHARS);
}
