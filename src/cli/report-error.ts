import { wantsDetails } from '../config/wants-details.js';
import { isCarrelError } from '../shared/errors.js';

/**
 * Tells on stderr what stopped a command: code and message, and the stack only where somebody debugs.
 *
 * @returns the exit code
 */
export function reportError(error: unknown): number {
  const code = isCarrelError(error) ? error.code : 'internal';
  process.stderr.write(`carrel: ${code}:${indented(messageOf(error))}\n`);
  if (wantsDetails()) process.stderr.write(`${stackOf(error)}\n`);
  else if (!isCarrelError(error)) process.stderr.write('CARREL_LOG_LEVEL=debug shows where it comes from\n');
  return 1;
}

/** Several problems stand one under the other. */
function indented(message: string): string {
  const lines = message.split('\n');
  return lines.length === 1 ? ` ${message}` : lines.map((line) => `\n  ${line}`).join('');
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  const cause = error.cause === undefined ? '' : `\ncaused by ${stackOf(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}
