import type { INestApplication } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import * as swagger from '@nestjs/swagger';
import type { FastifyInstance } from 'fastify';
import { SERVER_FACTS } from '../server-facts.js';
import { applyApiDecorators } from './api-decorators.js';
import { Documented } from './route-documentation.js';
import { SCHEMAS } from './schemas.js';

const DESCRIPTION = [
  'Runs AI agents for many users at once, each user in an execution context of their own.',
  'Every request but those for health carries a token (`Authorization: Bearer …`), and sees what belongs to its user and nothing else:',
  "another user's id is answered like one that does not exist.",
  'Errors are problems (RFC 9457) with a stable `code`; [all codes](/docs/errors).',
  'The same events come over Socket.IO, namespace `/agents`.',
].join(' ');

/** The document and its page, for `serveOnDemand`. */
export async function openDocsPages(app: INestApplication): Promise<FastifyInstance> {
  const adapter = new FastifyAdapter();
  const withOwnRoutes = Object.create(app, { getHttpAdapter: { value: () => adapter } }) as INestApplication;
  swagger.SwaggerModule.setup('docs', withOwnRoutes, () => createDocument(app), {
    raw: ['json'],
    customSiteTitle: 'Carrel API',
  });
  const pages = adapter.getInstance();
  await pages.ready();
  return pages;
}

function createDocument(app: INestApplication): swagger.OpenAPIObject {
  applyApiDecorators({ ...swagger, Documented });
  const config = new swagger.DocumentBuilder()
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
  const components = { ...config.components, schemas: { ...SCHEMAS } } as NonNullable<
    swagger.OpenAPIObject['components']
  >;
  return swagger.SwaggerModule.createDocument(
    app,
    { ...config, components },
    {
      operationIdFactory: (controller, method) => `${controller.replace('Controller', '').toLowerCase()}.${method}`,
    },
  );
}
