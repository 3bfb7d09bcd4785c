import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { CarrelConfig } from '../config/config.js';
import { RouteMethods } from './route-methods.service.js';

/** What a browser's script may read of an answer, beside the body. */
const EXPOSED_HEADERS = [
  'allow',
  'deprecation',
  'idempotency-replayed',
  'link',
  'location',
  'preference-applied',
  'retry-after',
  'x-request-id',
];

/** Answers are data, never documents: nothing may be loaded for them, and nobody may frame them. */
const API_POLICY = { 'default-src': "'none'", 'frame-ancestors': "'none'" };

/** How long requests under way may take to end once the server closes. */
const LAST_REQUESTS_MS = 1_000;

/**
 * Sets up HTTP before the application is initialised: the security headers that Helmet sets, and calls from browsers on
 * the configured origins. Errors are `ProblemFilter`'s business.
 */
export function installHttp(app: NestFastifyApplication, { http }: CarrelConfig): void {
  app.useSecurityHeaders({ contentSecurityPolicy: { useDefaults: false, directives: API_POLICY } });
  // Announced as text, a body could come from any web page without asking; and it is JSON or nothing.
  app.getHttpAdapter().getInstance().removeContentTypeParser('text/plain');
  app.get(RouteMethods).watch(app.getHttpAdapter().getInstance());
  cutOffAtClose(app);
  if (http.corsOrigins.length === 0) return;
  app.enableCors({
    origin: [...http.corsOrigins],
    methods: ['GET', 'POST', 'PATCH', 'DELETE'],
    exposedHeaders: EXPOSED_HEADERS,
    maxAge: 600,
  });
}

/** Without this a connection that has never sent a request keeps a closing server alive for half a minute. */
function cutOffAtClose(app: NestFastifyApplication): void {
  const fastify = app.getHttpAdapter().getInstance();
  fastify.addHook('preClose', (done) => {
    setTimeout(() => fastify.server.closeAllConnections(), LAST_REQUESTS_MS).unref();
    done();
  });
}
