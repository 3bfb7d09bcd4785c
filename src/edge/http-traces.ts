import { Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Tracing } from '../execution/tracing/tracing.service.js';
import type { TraceSpan } from '../shared/trace-span.js';
import { fastifyOf } from './fastify-instance.js';

/** One span for each request of somebody who was identified, from then to the last byte of its answer. */
@Injectable()
export class HttpTraces implements OnModuleInit {
  private readonly spans = new WeakMap<object, TraceSpan>();

  constructor(
    private readonly adapterHost: HttpAdapterHost,
    private readonly tracing: Tracing,
  ) {}

  onModuleInit(): void {
    if (!this.tracing.isOn) return;
    fastifyOf(this.adapterHost).addHook('onResponse', (request, reply, done) => {
      this.end(request, reply);
      done();
    });
  }

  begin({ method, routeOptions, raw }: FastifyRequest, parent?: string | string[]): TraceSpan | undefined {
    if (!this.tracing.isOn) return undefined;
    const route = routeOptions.url ?? '';
    const attributes = { 'http.request.method': method, 'http.route': route };
    const start = { kind: 'server', attributes } as const;
    const span = this.tracing.start(
      `${method} ${route}`.trim(),
      start,
      typeof parent === 'string' ? parent : undefined,
    );
    if (span) this.spans.set(raw, span);
    return span;
  }

  private end({ raw }: FastifyRequest, { statusCode }: FastifyReply): void {
    const span = this.spans.get(raw);
    if (!span) return;
    span.set({ 'http.response.status_code': statusCode });
    if (statusCode >= 500) span.failed(String(statusCode));
    span.end();
  }
}
