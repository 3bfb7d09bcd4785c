import { wantsDetails } from '../config/wants-details.js';
import { isCarrelError } from '../shared/errors.js';

/**
 * Tells on stderr what stopped a command: code and message, and the stack only where somebody debugs.
 *
 * @returns the exit code
 */
export function reportError(error: unknown): number {
  const text = isCarrelError(error) ? `${error.code}: ${indented(error.message)}` : `internal: ${messageOf(error)}`;
  process.stderr.write(`carrel: ${text}\n`);
  if (wantsDetails()) process.stderr.write(`${stackOf(error)}\n`);
  else if (!isCarrelError(error)) process.stderr.write('CARREL_LOG_LEVEL=debug shows where it comes from\n');
  return 1;
}

/** Several problems stand one under the other. */
function indented(message: string): string {
  return message.includes('\n') ? message.replaceAll(/^/gm, '\n  ').replaceAll('\n\n', '\n') : message;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  const cause = error.cause === undefined ? '' : `\ncaused by ${stackOf(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}
