import { CarrelError } from '../shared/errors.js';
import { isDeeperThan, type JsonBounds, type JsonValue } from '../shared/json.js';

/**
 * What an agent returned, as plain data that nobody else holds a reference to.
 *
 * @throws CarrelError `no_result` | `invalid_result`
 */
export function plainResult(value: unknown, { maxBytes, maxDepth }: JsonBounds): JsonValue {
  if (value === undefined) {
    throw new CarrelError(
      'no_result',
      'the agent ended without a result: return a value, null if there is nothing to say',
    );
  }
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (cause) {
    throw new CarrelError('invalid_result', 'the result of the agent cannot be written as JSON', { cause });
  }
  if (text === undefined)
    throw new CarrelError('invalid_result', `the result of the agent is a ${typeof value}, not JSON`);
  const bytes = Buffer.byteLength(text);
  if (bytes > maxBytes) {
    throw new CarrelError('invalid_result', `the result has ${bytes} bytes; at most ${maxBytes} are allowed`);
  }
  const result = JSON.parse(text) as JsonValue;
  if (isDeeperThan(result, maxDepth)) {
    throw new CarrelError('invalid_result', `the result is nested deeper than ${maxDepth} levels`);
  }
  return result;
}
