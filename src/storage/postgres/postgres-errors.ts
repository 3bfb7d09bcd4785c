import { CarrelError } from '../../shared/errors.js';

/** Of Node's sockets and resolver. */
const NETWORK_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'ENOENT',
  'EAI_AGAIN',
]);

/**
 * SQLSTATE: connections (class 08), those that are refused (28, 3D000, 53300, 55000), a transaction in which nothing happened
 * for too long (25P03), a standby (25006), a server that stops or starts (57P0x).
 */
const LOST_STATES = /^(08...|28...|25006|25P03|3D000|53300|55000|57P0[1-5])$/;

/** What `pg` says without a code. */
const LOST_TEXTS =
  /Connection terminated|Query read timeout|timeout exceeded when trying to connect|not queryable|Client was closed/;

/** SQLSTATE: serialization failure, deadlock, lock not available. */
const CONFLICT_STATES = new Set(['40001', '40P01', '55P03']);

/** The server can't be reached (any more): the same may work on a new connection. */
export function isConnectionLost(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.some(isConnectionLost);
  const code = codeOf(error);
  if (code !== undefined) return NETWORK_CODES.has(code) || LOST_STATES.test(code);
  return error instanceof Error && LOST_TEXTS.test(error.message);
}

/** Two transactions were in each other's way, and this one was rolled back. */
export function isConflict(error: unknown): boolean {
  return CONFLICT_STATES.has(codeOf(error) ?? '');
}

/** Trouble with the database as callers may see it; what is no such trouble stays as it is. */
export function explained(error: unknown): unknown {
  if (!isConnectionLost(error) && !isConflict(error)) return error;
  return new CarrelError('database_unavailable', undefined, { cause: error });
}

function codeOf(error: unknown): string | undefined {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === 'string' ? code : undefined;
}
