import { CarrelError, type ErrorCode, ERRORS, isCarrelError } from '../../shared/errors.js';
import type { JsonObject } from '../../shared/json.js';

/** An error on its way to another thread. */
export interface WireError {
  /** What the sender knows it by. */
  readonly ref: number;
  /** It is one of the receiver's own, which comes back. */
  readonly isYours: boolean;
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  readonly code?: string;
  readonly cause?: WireError;
  /** Of an error of ours. */
  readonly carrel?: { details?: JsonObject; retryAfterMs?: number; retryable: boolean };
}

/** Errors that may come back are remembered up to here. */
const MAX_REMEMBERED = 256;
const MAX_CAUSES = 4;

/**
 * Takes errors from thread to thread, one at each end. What an error of ours says of itself is kept; and one that comes back
 * to where it was thrown is the same object again, so that `instanceof` and `===` hold there.
 */
export class ErrorWire {
  private readonly sent = new Map<number, unknown>();
  private readonly received = new WeakMap<object, number>();
  private last = 0;

  encode(thrown: unknown, depth = 0): WireError {
    const theirs = typeof thrown === 'object' && thrown !== null ? this.received.get(thrown) : undefined;
    const reference = { ref: theirs ?? this.remember(thrown), isYours: theirs !== undefined };
    if (!(thrown instanceof Error)) return { ...reference, name: 'Error', message: `thrown: ${String(thrown)}` };
    const { name, message, stack, cause } = thrown;
    return {
      ...reference,
      name,
      message,
      stack,
      code: 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : undefined,
      cause: cause === undefined || depth >= MAX_CAUSES ? undefined : this.encode(cause, depth + 1),
      carrel: isCarrelError(thrown)
        ? { details: thrown.details, retryAfterMs: thrown.retryAfterMs, retryable: thrown.retryable }
        : undefined,
    };
  }

  decode(wire: WireError): unknown {
    if (wire.isYours && this.sent.has(wire.ref)) return this.sent.get(wire.ref);
    const error = copyOf(wire, wire.cause && this.decode(wire.cause));
    this.received.set(error, wire.ref);
    return error;
  }

  private remember(thrown: unknown): number {
    this.sent.set(++this.last, thrown);
    if (this.sent.size > MAX_REMEMBERED) this.sent.delete(this.last - MAX_REMEMBERED);
    return this.last;
  }
}

function copyOf({ name, message, stack, code, carrel }: WireError, cause: unknown): Error {
  const options = cause === undefined ? {} : { cause };
  const error =
    carrel && code !== undefined && Object.hasOwn(ERRORS, code)
      ? new CarrelError(code as ErrorCode, message, { ...options, ...carrel })
      : Object.assign(new Error(message, options), code === undefined ? {} : { code });
  return Object.assign(error, { name, stack });
}
