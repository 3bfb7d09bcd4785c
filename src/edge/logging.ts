import type { DynamicModule } from '@nestjs/common';
import { LoggerModule } from 'nestjs-pino';
import pino, { type DestinationStream, type Logger, type LoggerOptions } from 'pino';
import pretty from 'pino-pretty';
import type { CarrelConfig } from '../config/config.js';
import { currentLogScope } from '../shared/log-scope.js';
import { redactError, redactLogged } from './log-redaction.js';

/**
 * Nest's and Carrel's logs through pino. No middleware: it would cost more than the rest of a request; `HttpLogging`
 * writes the line of a request, and the ids on every line come from the log scope.
 */
export function loggerModule(log: CarrelConfig['log'], destination?: DestinationStream): DynamicModule {
  const logger = createLogger(log, destination);
  return LoggerModule.forRoot({
    pinoHttp: { logger, autoLogging: false, wrapSerializers: false, serializers: { err: redactError } },
    forRoutes: [],
  });
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
    timestamp: pino.stdTimeFunctions.isoTime,
  };
  return pino(options, destination);
}

/** Not synchronous: a slow reader of a pipe must not stop the server. pino writes what is left at exit. */
function destinationOf(log: CarrelConfig['log']): DestinationStream {
  return log.pretty
    ? pretty({ destination: 1, sync: true, ignore: 'pid,hostname', singleLine: true })
    : pino.destination({ dest: 1, sync: false });
}
