import { isCarrelError } from '../shared/errors.js';

/** No delay grows beyond this, however many attempts there are. */
const MAX_DELAY_MS = 60_000;

/**
 * How long to wait before an attempt: the base doubled for every attempt before the last one, of which a random half
 * is taken off so that runs that failed together don't come back together.
 *
 * @param attempt number of the attempt that has failed, from 1
 * @param random from 0 to 1
 */
export function backoffMs(baseDelayMs: number, attempt: number, random: number = Math.random()): number {
  const delay = Math.min(baseDelayMs * 2 ** (attempt - 1), MAX_DELAY_MS);
  return Math.round(delay * (0.5 + random / 2));
}

/** What the error that was thrown asks for; anything that is no time counts as nothing. */
export function askedDelayMs(error: unknown): number {
  const asked = isCarrelError(error) ? Number(error.retryAfterMs) : 0;
  return asked > 0 ? asked : 0;
}
