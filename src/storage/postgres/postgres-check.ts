import type { ClientBase } from 'pg';
import { CarrelError, isCarrelError } from '../../shared/errors.js';

const OLDEST_MAJOR = 14;

/** SQLSTATE: wrong password, no such role, no such database, no right to connect. */
const REFUSED = /^(28...|3D000|42501)$/;

/** @throws CarrelError `unsupported_database` when it is too old, or does not keep texts in UTF-8 */
export async function checkServer(client: ClientBase): Promise<void> {
  const { rows } = await client.query<{ version: string; encoding: string }>(
    `SELECT current_setting('server_version_num') AS version, current_setting('server_encoding') AS encoding`,
  );
  const major = Math.floor(Number(rows[0]?.version) / 10_000);
  const encoding = rows[0]?.encoding;
  if (!(major >= OLDEST_MAJOR)) {
    const text = `DATABASE_URL leads to PostgreSQL ${major}; Carrel needs ${OLDEST_MAJOR} or newer. Upgrade the server, or name another one`;
    throw new CarrelError('unsupported_database', text);
  }
  if (encoding !== 'UTF8') {
    const text = `The database of DATABASE_URL is in ${encoding}. Make it anew: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0`;
    throw new CarrelError('unsupported_database', text);
  }
}

/** Why the database could not be opened, and what to do. The password of the URL is not in it. */
export function unreachable(cause: unknown, url: string): unknown {
  if (isCarrelError(cause)) return cause;
  const { code, message } = cause as { code?: string; message?: string };
  const why = `(${code ?? 'error'}: ${message || firstReason(cause)})`;
  if (REFUSED.test(code ?? '')) {
    const text = `PostgreSQL at ${placeOf(url)} refuses DATABASE_URL ${why}. Check user, password, database and their rights`;
    return new CarrelError('invalid_config', text, { cause });
  }
  const text = `PostgreSQL at ${placeOf(url)} can't be used ${why}. Start it, or correct DATABASE_URL`;
  return new CarrelError('database_unavailable', text, { cause });
}

/** Of several addresses of one name, each has failed. */
function firstReason(cause: unknown): string {
  return cause instanceof AggregateError ? String((cause.errors[0] as Error | undefined)?.message) : 'unknown';
}

function placeOf(url: string): string {
  if (!URL.canParse(url)) return 'an unreadable address';
  const { hostname, port, pathname, searchParams } = new URL(url);
  return `${hostname || searchParams.get('host') || 'localhost'}:${port || 5432}${pathname}`;
}
