import { redact } from '../../events/redaction.js';
import { CarrelError } from '../../shared/errors.js';
import type { JsonValue } from '../../shared/json.js';

/**
 * A result as it leaves a worker; `undefined` stays what it is.
 *
 * @param what e.g. `the result of the agent`
 * @throws CarrelError `invalid_result`
 */
export function plain(value: unknown, what: string): JsonValue | undefined {
  if (value === undefined) return undefined;
  let text: string | undefined;
  let cause: unknown;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    cause = error;
  }
  if (text !== undefined) return JSON.parse(text) as JsonValue;
  const why = cause instanceof Error ? cause.message : `it is a ${typeof value}`;
  throw new CarrelError('invalid_result', `${what} can't leave its worker as plain JSON: ${why}`, { cause });
}

/** What is told of a value that stays in the worker. */
export function described(value: unknown): JsonValue | undefined {
  try {
    return plain(value, 'it');
  } catch {
    return redact(value);
  }
}
