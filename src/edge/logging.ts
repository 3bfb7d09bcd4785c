import { type DynamicModule, Module, Scope } from '@nestjs/common';
import { Logger as NestPinoLogger, PinoLogger } from 'nestjs-pino';
import pino, { type DestinationStream, type Logger, type LoggerOptions } from 'pino';
import pretty from 'pino-pretty';
import type { CarrelConfig } from '../config/config.js';
import { currentLogScope } from '../shared/log-scope.js';
import { redactError, redactLogged, withoutTokens } from './log-redaction.js';

/**
 * nestjs-pino's loggers on a pino of this application. Its own module is left out: it keeps one logger per process,
 * whatever application asks, and its middleware costs more than the rest of a request. `HttpLogging` writes the line
 * of a request, and the ids on every line come from the log scope.
 */
@Module({})
export class LoggingModule {
  /** `Logger` is for `app.useLogger`, `PinoLogger` for classes that log objects. */
  static forRoot(log: CarrelConfig['log'], logger = createLogger(log)): DynamicModule {
    return {
      module: LoggingModule,
      global: true,
      providers: [
        { provide: PinoLogger, scope: Scope.TRANSIENT, useFactory: () => new OwnPinoLogger(logger) },
        { provide: NestPinoLogger, useFactory: () => new NestPinoLogger(new OwnPinoLogger(logger), {}) },
      ],
      exports: [PinoLogger, NestPinoLogger],
    };
  }
}

class OwnPinoLogger extends PinoLogger {
  constructor(private readonly own: Logger) {
    super({ pinoHttp: { logger: own } });
  }

  override get logger(): Logger {
    return this.own;
  }
}

/**
 * What Nest itself logs through in `carrel start`, from its first line on: how it is put together is for those who
 * debug, and so is the stack of an error that stops the boot, since the command reports that error.
 */
export function serverLogger(logger: Logger): NestPinoLogger {
  return new QuietBootLogger(new OwnPinoLogger(logger), {});
}

const BOOT_CONTEXTS: readonly unknown[] = [
  'NestFactory',
  'InstanceLoader',
  'RoutesResolver',
  'RouterExplorer',
  'WebSocketsController',
  'NestApplication',
];

class QuietBootLogger extends NestPinoLogger {
  override log(message: unknown, ...params: unknown[]): void {
    if (BOOT_CONTEXTS.includes(params.at(-1))) this.debug(message, ...params);
    else super.log(message, ...params);
  }

  override error(message: unknown, ...params: unknown[]): void {
    if (params.at(-1) === 'ExceptionHandler') this.debug(message, ...params);
    else super.error(message, ...params);
  }
}

/** The logger itself: JSON lines on stdout, or lines for people. */
export function createLogger(log: CarrelConfig['log'], destination = destinationOf(log)): Logger {
  const options: LoggerOptions = {
    level: log.level,
    base: undefined,
    mixin: () => ({ ...currentLogScope() }),
    // What a line says of itself goes before the ids of what is being carried out.
    mixinMergeStrategy: (line, ids) => ({ ...ids, ...line }),
    formatters: { level: (level) => ({ level }), log: redactLogged },
    serializers: { err: redactError },
    hooks: { streamWrite: withoutTokens },
    timestamp: pino.stdTimeFunctions.isoTime,
  };
  return pino(options, destination);
}

/** Not synchronous: a slow reader of a pipe must not stop the server. pino writes what is left at exit. */
function destinationOf(log: CarrelConfig['log']): DestinationStream {
  return log.pretty
    ? pretty({ destination: 1, sync: true, singleLine: true })
    : pino.destination({ dest: 1, sync: false });
}
