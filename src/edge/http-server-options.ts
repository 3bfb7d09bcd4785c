import type { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyReply } from 'fastify';
import type { Socket } from 'node:net';
import type { CarrelConfig } from '../config/config.js';
import { CarrelError } from '../shared/errors.js';
import { toProblem } from './problem.js';

/** A thread's id has up to 128 characters, each of which may be encoded as three. */
const MAX_PARAM_LENGTH = 400;

/** For `new FastifyAdapter(…)`. */
export function httpServerOptions({
  http,
}: CarrelConfig): Extract<ConstructorParameters<typeof FastifyAdapter>[0], { bodyLimit?: number }> {
  return {
    bodyLimit: http.bodyLimitBytes,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    clientErrorHandler: (error, socket) => refuseBytes(error, socket),
    // What the router refuses gets no further: neither to the hooks nor to `ProblemFilter`.
    frameworkErrors: (error, _request, reply) => {
      const problem = toProblem(error);
      const untyped = reply as unknown as FastifyReply;
      void untyped.status(problem.status).type('application/problem+json').send(problem);
    },
  };
}

/** What is no HTTP never becomes a request. */
function refuseBytes(error: { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const body = JSON.stringify(toProblem(new CarrelError('invalid_request', 'this is not valid HTTP/1.1')));
  socket.end(
    `HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
