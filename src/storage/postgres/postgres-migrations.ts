import type { ClientBase } from 'pg';
import { CarrelError } from '../../shared/errors.js';
import { CORE_TABLES } from './core-tables.js';
import { OPERATIONS_TABLES } from './operations-tables.js';
import { STORE_TABLES } from './store-tables.js';

/**
 * Every step from an empty database to the present schema; `carrel_schema` counts those that were taken. A step that was
 * released is never changed: what comes next is a new step. Nodes of the version before run while a step is taken.
 */
const MIGRATIONS: readonly string[] = [`${CORE_TABLES}; ${STORE_TABLES}; ${OPERATIONS_TABLES}`];

/** Any number: who takes this lock of the database migrates it. */
const MIGRATION_LOCK = 2_067_241_113;

/**
 * Takes the steps that are missing, all or none. Whoever comes meanwhile waits, and finds nothing left to do.
 *
 * @throws CarrelError `incompatible_data` when a newer version has been here
 */
export async function migrate(client: ClientBase, steps: readonly string[] = MIGRATIONS): Promise<void> {
  await client.query('BEGIN');
  try {
    await client.query('SELECT pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
    await client.query('CREATE TABLE IF NOT EXISTS carrel_schema (version INTEGER NOT NULL)');
    const { rows } = await client.query<{ version: number }>('SELECT version FROM carrel_schema');
    const version = rows[0]?.version ?? 0;
    if (version > steps.length) throw fromTheFuture(version, steps.length);
    for (const step of steps.slice(version)) await client.query(step);
    if (rows.length === 0) await client.query('INSERT INTO carrel_schema VALUES ($1)', [steps.length]);
    else if (version < steps.length) await client.query('UPDATE carrel_schema SET version = $1', [steps.length]);
    await client.query('COMMIT');
  } catch (error) {
    // the first error is the one to tell of
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

function fromTheFuture(version: number, known: number): CarrelError {
  return new CarrelError(
    'incompatible_data',
    `The database was written by a newer version of Carrel (schema ${version}, this one knows ${known}). ` +
      'Start that version, or name another database (DATABASE_URL)',
  );
}
