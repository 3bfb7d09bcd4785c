import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import type { FastifyInstance } from 'fastify';
import { SCHEMAS } from './openapi/schemas.js';
import { SERVER_FACTS } from './server-facts.js';

/** The page loads its own scripts, and styles that it writes itself; it calls this server and no other. */
const DOCS_POLICY = [
  "default-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "object-src 'none'",
  "base-uri 'self'",
  "frame-ancestors 'none'",
].join(';');

const DESCRIPTION = [
  'Runs AI agents for many users at once, each user in an execution context of their own.',
  'Every request but those for health carries a token (`Authorization: Bearer …`), and sees what belongs to its user and nothing else:',
  "another user's id is answered like one that does not exist.",
  'Errors are problems (RFC 9457) with a stable `code`; [all codes](/docs/errors).',
  'The same events come over Socket.IO, namespace `/agents`.',
].join(' ');

/** Serves the OpenAPI document at `/docs-json`, and a page to read and try it at `/docs`; to everybody. */
export function installOpenApi(app: INestApplication): void {
  const fastify = app.getHttpAdapter().getInstance() as FastifyInstance;
  fastify.addHook('onRequest', (request, reply, done) => {
    if (request.routeOptions.url?.startsWith('/docs')) reply.header('content-security-policy', DOCS_POLICY);
    done();
  });
  SwaggerModule.setup('docs', app, () => createDocument(app), { raw: ['json'], customSiteTitle: 'Carrel API' });
}

function createDocument(app: INestApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Carrel')
    .setDescription(DESCRIPTION)
    .setVersion(SERVER_FACTS.version)
    .setLicense('MIT', 'https://opensource.org/license/mit')
    .addBearerAuth({ type: 'http', scheme: 'bearer', bearerFormat: 'JWT' })
    .addTag('Runs')
    .addTag('Events')
    .addTag('Approvals')
    .addTag('Schedules')
    .addTag('Agents')
    .addTag('Pipelines')
    .addTag('Tools')
    .addTag('Threads')
    .addTag('Me')
    .addTag('Operators')
    .addTag('Health')
    .build();
  const components = { ...config.components, schemas: { ...SCHEMAS } } as NonNullable<OpenAPIObject['components']>;
  return SwaggerModule.createDocument(
    app,
    { ...config, components },
    {
      operationIdFactory: (controller, method) => `${controller.replace('Controller', '').toLowerCase()}.${method}`,
    },
  );
}
