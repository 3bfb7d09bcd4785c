import { HttpException, Logger } from '@nestjs/common';
import { CarrelError, ERRORS, isCarrelError, type ErrorCode } from '../shared/errors.js';
import { newId, type SupportCode } from '../shared/ids.js';
import type { JsonObject, JsonValue } from '../shared/json.js';
import { errorOfHttpException, errorOfFastify } from './framework-errors.js';

/** An error as a Socket.IO ack carries it. Further facts (`issues`, …) stand beside these, as in a problem. */
export interface WireError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryAfterMs?: number;
  /** Names the entry of the log that has the details; only where the message can't tell them. */
  readonly supportCode?: SupportCode;
  readonly [fact: string]: JsonValue | undefined;
}

/** An error as HTTP carries it: RFC 9457, `application/problem+json`. */
export interface Problem {
  /** A relative reference to the code's place in the documentation; stable. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ErrorCode;
  readonly requestId?: string;
  readonly retryAfterMs?: number;
  readonly supportCode?: SupportCode;
  readonly [fact: string]: JsonValue | undefined;
}

const logger = new Logger('Errors');

/**
 * Whatever was thrown, as it may cross the wire. What is no `CarrelError` and no HTTP error becomes `internal` with a
 * fixed text; its details go to the log, under the support code.
 */
export function toWireError(error: unknown): WireError {
  const { code, message, facts } = shown(error);
  const head = { code, message };
  return { ...head, ...facts, ...head };
}

/** The same as a problem. `place` says which request it answers; it is the caller's to fill in. */
export function toProblem(error: unknown, place: { requestId?: string } = {}): Problem {
  const { code, message, facts, status } = shown(error);
  const head = { type: `/docs/errors#${code}`, title: ERRORS[code].title, status, detail: message, code, ...place };
  // The facts stand behind these, and none of them can replace one of these.
  return { ...head, ...facts, ...head };
}

interface Shown {
  code: ErrorCode;
  message: string;
  status: number;
  facts: JsonObject;
}

function shown(error: unknown): Shown {
  if (isCarrelError(error)) {
    // One that comes from another version of this module may have a code that is not known here.
    const isShown = Object.hasOwn(ERRORS, error.code) && error.code !== 'internal';
    return isShown ? shownCarrelError(error, ERRORS[error.code].status) : hidden(error);
  }
  const known = error instanceof HttpException ? errorOfHttpException(error) : errorOfFastify(error);
  return known ? shownCarrelError(known.error, known.status) : hidden(error);
}

function shownCarrelError(error: CarrelError, status: number): Shown {
  const { code, message, details, retryAfterMs } = error;
  return { code, message, status, facts: retryAfterMs === undefined ? { ...details } : { ...details, retryAfterMs } };
}

function hidden(error: unknown): Shown {
  const supportCode = newId('sup');
  logger.error({ err: error instanceof Error ? error : new Error(describe(error)), supportCode }, 'unexpected error');
  const { title, status } = ERRORS.internal;
  return { code: 'internal', message: `${title}; support code ${supportCode}`, status, facts: { supportCode } };
}

/** What was thrown need not be an error, nor convertible to a text. */
function describe(thrown: unknown): string {
  try {
    return `thrown: ${String(thrown)}`;
  } catch {
    return `thrown: ${typeof thrown}`;
  }
}
