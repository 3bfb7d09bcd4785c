import { Logger } from '@nestjs/common';
import { reportError } from './report-error.js';

/**
 * One user's agent must not end the process for everybody: a rejected promise that it has left behind is logged, with the
 * ids of its run. After an exception that nobody caught nothing is certain any more, so the process ends with 1; what it
 * had accepted goes on at the next start.
 */
export function guardProcess(): void {
  const logger = new Logger('Process');
  process.on('unhandledRejection', (reason) => {
    logger.error(
      { err: reason },
      'a promise was rejected, and nobody listens to it; agents should await what they begin',
    );
  });
  process.on('uncaughtException', (error) => {
    logger.fatal({ err: error }, 'an exception was not caught; the process ends, and its runs go on at the next start');
    process.exit(reportError(error));
  });
}
