import type { Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Logger } from 'nestjs-pino';
import { CarrelModule } from './app.module.js';
import type { CarrelConfig } from './config/config.js';
import { httpServerOptions } from './edge/http-server-options.js';
import { installHttp } from './edge/install-http.js';
import { installOpenApi } from './edge/openapi.js';
import { CarrelIoAdapter } from './edge/socket-io.adapter.js';

/** The whole server, ready to listen. `agents` are Nest modules that provide agents beside the shipped ones. */
export async function createCarrelApp(options: {
  config: CarrelConfig;
  agents?: readonly Type[];
  /** Where log lines go. @default stdout */
  logTo?: { write(line: string): void };
}): Promise<NestFastifyApplication> {
  const { config, agents = [], logTo } = options;
  const app = await NestFactory.create<NestFastifyApplication>(
    CarrelModule.forRoot({ config, imports: [...agents], logTo }),
    new FastifyAdapter(httpServerOptions(config)),
    { bufferLogs: true, abortOnError: false, bodyParser: false },
  );
  app.useLogger(app.get(Logger));
  installHttp(app, config);
  app.useWebSocketAdapter(new CarrelIoAdapter(app, config));
  installOpenApi(app);
  return app;
}
