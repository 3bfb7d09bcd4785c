import { Logger } from '@nestjs/common';
import type { Clock } from '../shared/clock.js';
import { isCarrelError } from '../shared/errors.js';
import { pause } from '../shared/pause.js';

/** The pauses grow from the first to the longest: about a minute in all. */
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;
const TRIES = 18;

const logger = new Logger('Run');

/**
 * Makes a write that a disk or a database may refuse for a while (full, slow, gone), again and again. A CarrelError is the
 * storage's answer and is thrown at once, unless it says that there was none; any other error when the tries are used up, or
 * when `signal` says that there is no time.
 */
export async function untilStored<Result>(
  write: () => Promise<Result>,
  clock: Clock,
  signal: AbortSignal,
): Promise<Result> {
  for (let tries = 1; ; tries++) {
    try {
      return await write();
    } catch (err) {
      const isAnswer = isCarrelError(err) && err.code !== 'database_unavailable';
      if (isAnswer || tries === TRIES || signal.aborted) throw err;
      logger.error({ err, tries }, 'the storage failed; it is tried again');
      await pause(Math.min(FIRST_PAUSE_MS * 2 ** (tries - 1), LONGEST_PAUSE_MS), clock, signal);
    }
  }
}
