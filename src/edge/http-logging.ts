import { Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { PinoLogger } from 'nestjs-pino';
import { contextCarriedBy } from '../context/context-carrier.js';
import { fastifyOf } from './fastify-instance.js';

/** Asked every few seconds by machines. */
const QUIET_ROUTES = new Set(['/health', '/ready', '/metrics']);

/** Writes one line for every answered request. */
@Injectable()
export class HttpLogging implements OnModuleInit {
  constructor(
    private readonly adapterHost: HttpAdapterHost,
    private readonly logger: PinoLogger,
  ) {}

  onModuleInit(): void {
    fastifyOf(this.adapterHost).addHook('onResponse', (request, reply, done) => {
      this.write(request, reply);
      done();
    });
  }

  private write(request: FastifyRequest, reply: FastifyReply): void {
    const { statusCode } = reply;
    const route = request.routeOptions.url;
    const level = statusCode >= 500 ? 'error' : QUIET_ROUTES.has(route ?? '') ? 'debug' : 'info';
    const { logger } = this.logger;
    if (!logger.isLevelEnabled(level)) return;
    logger[level](
      {
        method: request.method,
        // A path nobody serves is shown as it came, but never its query: people put secrets there.
        route: route ?? request.url.split('?', 1)[0],
        status: statusCode,
        ms: Math.round(reply.elapsedTime * 10) / 10,
        requestId: reply.getHeader('x-request-id'),
        userId: contextCarriedBy(request.raw)?.userId,
      },
      'request answered',
    );
  }
}
