import type { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyReply } from 'fastify';
import { maxHeaderSize, STATUS_CODES, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { CarrelConfig } from '../config/config.js';
import { CarrelError, type ErrorCode } from '../shared/errors.js';
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
    http: { shouldUpgradeCallback: isForSocketIo },
    clientErrorHandler: (error, socket) => refuseBytes(error, socket),
    // What the router refuses gets no further: neither to the hooks nor to `ProblemFilter`.
    frameworkErrors: (error, _request, reply) => {
      const problem = toProblem(error);
      const untyped = reply as unknown as FastifyReply;
      void untyped.status(problem.status).type('application/problem+json').send(problem);
    },
  };
}

/**
 * Whatever else asks for another protocol is answered in this one, as HTTP wants it: some clients ask for HTTP/2 with
 * their first request, and would wait for an answer in vain.
 */
function isForSocketIo({ headers, url }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket' && url?.startsWith('/socket.io/') === true;
}

const INVALID_BYTES = [400, 'invalid_request', 'this is not valid HTTP/1.1'] as const;
const BYTES_REFUSED: Readonly<Record<string, readonly [status: number, code: ErrorCode, text: string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'payload_too_large', `the headers are larger than ${maxHeaderSize} bytes`],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, 'payload_too_large', 'the chunk extensions are too large'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'invalid_request', 'the request did not arrive in time'],
};

/** What is no HTTP never becomes a request. */
function refuseBytes({ code: reason = '' }: { code?: string }, socket: Socket): void {
  if (reason === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, code, text] = BYTES_REFUSED[reason] ?? INVALID_BYTES;
  const body = JSON.stringify({ ...toProblem(new CarrelError(code, text)), status });
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'connection: close',
    'content-type: application/problem+json',
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
