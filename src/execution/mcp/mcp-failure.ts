import { CarrelError } from '../../shared/errors.js';

/** What users and agents are told: which server, and why. */
export function unavailable(server: string, reason: CarrelError, code = reason.code): CarrelError {
  const { retryable, retryAfterMs, cause } = reason;
  return new CarrelError(code, `the MCP server "${server}" can not be used: ${reason.message}`, {
    retryable: code === reason.code ? retryable : undefined,
    retryAfterMs,
    cause,
    details: { server },
  });
}

/** What a transport says of a message beyond its bound. */
export function tooLarge(maxBytes: number): CarrelError {
  return new CarrelError(
    'tool_result_too_large',
    `it sent a message of more than ${maxBytes} bytes, so the connection was closed`,
  );
}
