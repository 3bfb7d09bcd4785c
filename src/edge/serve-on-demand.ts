import type { FastifyInstance, RouteHandlerMethod } from 'fastify';
import { lazily } from '../shared/lazily.js';

/** What the connection's own server says. */
const OF_THE_CONNECTION = ['connection', 'date', 'keep-alive', 'transfer-encoding'];

/**
 * Serves files and pages that few ask for by an instance of their own, which listens nowhere. It comes into being with the
 * first request for it: a server starts without it, and one that listens takes no more routes.
 */
export function serveOnDemand(
  fastify: FastifyInstance,
  routes: readonly string[],
  open: () => Promise<FastifyInstance>,
): void {
  const pages = lazily(open);
  const answer: RouteHandlerMethod = async ({ url, headers: asked }, reply) => {
    const { statusCode, headers, rawPayload } = await (await pages()).inject({ url, headers: asked });
    if (statusCode === 404) return reply.callNotFound();
    for (const name of OF_THE_CONNECTION) delete headers[name];
    return reply.code(statusCode).headers(headers).send(rawPayload);
  };
  for (const url of routes) fastify.get(url, answer);
}
