import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { CarrelConfig } from '../config/config.js';
import { RouteMethods } from './route-methods.service.js';

/** What a browser's script may read of an answer, beside the body. */
const EXPOSED_HEADERS = [
  'allow',
  'idempotency-replayed',
  'location',
  'preference-applied',
  'retry-after',
  'x-request-id',
];

/** Answers are data, never documents: nothing may be loaded for them, and nobody may frame them. */
const API_POLICY = { 'default-src': "'none'", 'frame-ancestors': "'none'" };

/**
 * Sets up HTTP before the application is initialised: the security headers that Helmet sets, and calls from browsers on
 * the configured origins. Errors are `ProblemFilter`'s business.
 */
export function installHttp(app: NestFastifyApplication, { http }: CarrelConfig): void {
  app.useSecurityHeaders({ contentSecurityPolicy: { useDefaults: false, directives: API_POLICY } });
  // Announced as text, a body could come from any web page without asking; and it is JSON or nothing.
  app.getHttpAdapter().getInstance().removeContentTypeParser('text/plain');
  app.get(RouteMethods).watch(app.getHttpAdapter().getInstance());
  if (http.corsOrigins.length === 0) return;
  app.enableCors({
    origin: [...http.corsOrigins],
    methods: ['GET', 'POST', 'DELETE'],
    exposedHeaders: EXPOSED_HEADERS,
    maxAge: 600,
  });
}
