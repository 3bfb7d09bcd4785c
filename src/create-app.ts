import type { INestApplication, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { CarrelModule, type CarrelModuleOptions } from './app.module.js';
import type { CarrelConfig } from './config/config.js';
import { roleOf } from './config/node-role.js';
import { installConsole } from './edge/console/install-console.js';
import { httpServerOptions } from './edge/http-server-options.js';
import { installHttp } from './edge/install-http.js';
import { createLogger, serverLogger } from './edge/logging.js';
import { installOpenApi } from './edge/openapi.js';
import { CarrelIoAdapter } from './edge/socket-io.adapter.js';
import { ExecutionLifecycle } from './execution/execution-lifecycle.service.js';

/** The whole server, ready to listen. `agents` are Nest modules that provide agents beside the shipped ones. */
export async function createCarrelApp(options: {
  config: CarrelConfig;
  agents?: readonly Type[];
  /** Language models as objects; see `CarrelModuleOptions.models`. */
  models?: CarrelModuleOptions['models'];
  /** Where log lines go. @default stdout */
  logTo?: { write(line: string): void };
}): Promise<NestFastifyApplication> {
  const { config, agents = [], models } = options;
  const logger = createLogger(config.log, options.logTo);
  const app = await NestFactory.create<NestFastifyApplication>(
    CarrelModule.forRoot({ config, imports: [...agents], models, logger }),
    new FastifyAdapter(httpServerOptions(config)),
    { logger: serverLogger(logger), abortOnError: false, bodyParser: false },
  );
  configureCarrel(app, config);
  return app;
}

/**
 * What an application that imports `CarrelModule` has to be told beside it, before it listens: security headers and CORS,
 * Socket.IO as Carrel runs it, the API's documents under `/docs`, and the console; the last three not on a node that only
 * carries out runs.
 */
export function configureCarrel(app: NestFastifyApplication, config: CarrelConfig): void {
  installHttp(app, config);
  if (roleOf(config) === 'worker') return;
  app.useWebSocketAdapter(new CarrelIoAdapter(app, config));
  installOpenApi(app);
  installConsole(app);
}

/** Resolves when what an earlier process left behind is on its way again. */
export function whenRecovered(app: INestApplication): Promise<void> {
  return app.get(ExecutionLifecycle).whenRecovered();
}
