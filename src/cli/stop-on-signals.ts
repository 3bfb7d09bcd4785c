import type { INestApplication } from '@nestjs/common';
import { reportError } from './report-error.js';

/** What is left to do when the runs have had their time: tell the sockets, close the files. */
const CLOSING_MS = 5_000;

/** The first SIGTERM or SIGINT closes the application, and the process ends with 0; the second ends it at once. */
export function stopOnSignals(app: INestApplication, drainMs: number): void {
  let isStopping = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (isStopping) process.exit(signal === 'SIGINT' ? 130 : 143);
    isStopping = true;
    setTimeout(() => giveUp(drainMs), drainMs + CLOSING_MS).unref();
    app.close().then(
      () => process.exit(0),
      (error: unknown) => process.exit(reportError(error)),
    );
  };
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal);
}

function giveUp(drainMs: number): void {
  process.stderr.write(`carrel: the server did not stop within ${drainMs + CLOSING_MS} ms and is ended now\n`);
  process.exit(1);
}
