import type { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { CarrelError } from '../shared/errors.js';

/**
 * Nest's Fastify instance.
 *
 * @throws CarrelError `invalid_config` when the application runs on anything else
 */
export function fastifyOf({ httpAdapter }: HttpAdapterHost): FastifyInstance {
  if (httpAdapter?.getType() === 'fastify') return httpAdapter.getInstance<FastifyInstance>();
  const adapter = httpAdapter ? httpAdapter.constructor.name : 'no HTTP adapter';
  throw new CarrelError(
    'invalid_config',
    `Carrel needs Nest's FastifyAdapter, and this application has ${adapter}: ` +
      'create it with NestFactory.create(module, new FastifyAdapter())',
  );
}
