import { type ArgumentsHost, Catch, type ExceptionFilter, NotFoundException } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CarrelError } from '../shared/errors.js';
import { type Problem, toProblem } from './problem.js';
import { requestIdFrom } from './request-context.js';
import { RouteMethods } from './route-methods.service.js';

/** When a client should come back that was not told so. */
const DEFAULT_RETRY_MS = 1_000;

/**
 * Answers every error of HTTP with a problem: what handlers throw, what Fastify refuses before there is a handler, what
 * its hooks throw, and paths that nobody serves.
 */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(
    private readonly adapterHost: HttpAdapterHost,
    private readonly routes: RouteMethods,
  ) {}

  catch(error: unknown, host: ArgumentsHost): void {
    if (host.getType() !== 'http') throw error;
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const adapter = this.adapterHost.httpAdapter;
    if (adapter.isHeadersSent(reply)) {
      adapter.end(reply);
      return;
    }
    const problem = toProblem(isNest404(error, request) ? this.nothingThere(request, reply) : error, {
      requestId: this.requestIdOf(request, reply),
    });
    for (const [name, value] of headersOf(problem)) {
      if (!adapter.getHeader(reply, name)) adapter.setHeader(reply, name, value);
    }
    adapter.setHeader(reply, 'content-type', 'application/problem+json');
    adapter.reply(reply, problem, problem.status);
  }

  private nothingThere(request: FastifyRequest, reply: FastifyReply): CarrelError {
    const allowed = this.routes.of(request.url.split('?', 1)[0] ?? '');
    if (allowed.length === 0) return new CarrelError('not_found', 'there is nothing at this path');
    reply.header('allow', allowed.join(', '));
    return new CarrelError('method_not_allowed', `here only ${allowed.join(', ')} can be used`);
  }

  /** A request that was refused before it was identified has no id yet. */
  private requestIdOf(request: FastifyRequest, reply: FastifyReply): string {
    const adapter = this.adapterHost.httpAdapter;
    const given: unknown = adapter.getHeader(reply, 'x-request-id');
    if (typeof given === 'string') return given;
    const requestId = requestIdFrom(request.headers['x-request-id']);
    adapter.setHeader(reply, 'x-request-id', requestId);
    return requestId;
  }
}

/** What Nest throws for a path without a route; a hook may have refused the request before that, with reasons of its own. */
function isNest404(error: unknown, request: FastifyRequest): boolean {
  return request.is404 && error instanceof NotFoundException;
}

function headersOf({ status, retryAfterMs }: Problem): [string, string][] {
  if (status === 401) return [['www-authenticate', 'Bearer']];
  if (status !== 429 && status !== 503) return [];
  return [['retry-after', String(Math.max(1, Math.ceil((retryAfterMs ?? DEFAULT_RETRY_MS) / 1_000)))]];
}
