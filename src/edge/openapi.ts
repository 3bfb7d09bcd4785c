import type { INestApplication } from '@nestjs/common';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { serveOnDemand } from './serve-on-demand.js';

/** The page loads its own scripts, and styles that it writes itself; it calls this server and no other. */
const DOCS_POLICY = [
  "default-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "object-src 'none'",
  "base-uri 'self'",
  "frame-ancestors 'none'",
].join(';');

/** The page's address with and without a slash at its end, its files, and the document. */
const ROUTES = ['/docs', '/docs/', '/docs/*', '/docs-json'];

/** Serves the OpenAPI document at `/docs-json`, and a page to read and try it at `/docs`; to everybody. */
export function installOpenApi(app: INestApplication): void {
  const fastify = app.getHttpAdapter().getInstance() as FastifyInstance;
  fastify.addHook('onRoute', (route) => {
    if (!route.url.startsWith('/docs')) return;
    route.onRequest = [setPolicy, ...[route.onRequest ?? []].flat()];
  });
  serveOnDemand(fastify, ROUTES, async () => (await import('./openapi/docs-pages.js')).openDocsPages(app));
}

function setPolicy(_: FastifyRequest, reply: FastifyReply, done: () => void): void {
  void reply.header('content-security-policy', DOCS_POLICY);
  done();
}
