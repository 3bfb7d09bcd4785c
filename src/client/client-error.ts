/** Codes that the client itself gives; all others are the server's (docs/errors.md). */
export type ClientErrorCode = 'unreachable' | 'unexpected_response' | 'closed';

/** What went wrong, by a code that stays the same. Further facts of the server (`issues`, …) are in `details`. */
export class CarrelClientError extends Error {
  override readonly name = 'CarrelClientError';
  /** HTTP status; undefined over the socket, and when there was no answer. */
  readonly status?: number;
  /** When to try again, in milliseconds. */
  readonly retryAfterMs?: number;
  /** Names the entry of the server's log that has the details. */
  readonly supportCode?: string;
  readonly requestId?: string;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    readonly code: string,
    message: string,
    facts: Readonly<Record<string, unknown>> = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
    const { status, retryAfterMs, supportCode, requestId, ...details } = facts;
    this.status = status as number | undefined;
    this.retryAfterMs = retryAfterMs as number | undefined;
    this.supportCode = supportCode as string | undefined;
    this.requestId = requestId as string | undefined;
    this.details = details;
  }
}

/** Whether the same request would be refused again: the caller has to change something. */
export function isFinal(error: unknown): error is CarrelClientError {
  if (!(error instanceof CarrelClientError)) return false;
  const { status = 0 } = error;
  return status >= 400 && status < 500 && status !== 408 && status !== 429;
}

/** Something that Carrel would not say. */
export function unexpected(message: string, facts?: { status: number }, options?: ErrorOptions): CarrelClientError {
  return new CarrelClientError('unexpected_response' satisfies ClientErrorCode, message, facts, options);
}

/** What the server says of an error, over HTTP (`detail`) or the socket (`message`). */
interface Told {
  code: string;
  detail?: string;
  message?: string;
  title?: string;
  type?: string;
  [fact: string]: unknown;
}

/** A problem (RFC 9457) or the error of an acknowledgement. */
export function errorFrom(facts: unknown, otherwise: CarrelClientError): CarrelClientError {
  if (typeof facts !== 'object' || facts === null || !('code' in facts) || typeof facts.code !== 'string') {
    return otherwise;
  }
  const { code, message, detail, title: _, type: __, ...rest } = facts as Told;
  return new CarrelClientError(code, detail ?? message ?? code, rest);
}
