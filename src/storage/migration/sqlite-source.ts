import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CarrelError } from '../../shared/errors.js';
import type { UserId } from '../../shared/ids.js';
import type { AuditRow, KillSwitchRow } from '../operations-row.js';
import { SqliteDatabase } from '../sqlite/sqlite-database.js';
import { SqliteTables } from '../sqlite/sqlite-tables.js';
import { MOVED_TABLES, type MovedTable, type Row } from './moved-tables.js';

/** A user as the data folder knows them. */
export interface SourceUser {
  readonly key: number;
  readonly id: UserId;
  readonly lastSeq: number;
  readonly prunedSeq: number;
  readonly oldestAtMs: number | null;
}

/** Table → rows. */
export type Counts = Readonly<Record<string, number>>;

/** Users who are looked at together. */
const USERS_PER_PAGE = 500;
/** Reservations that are settled in one go. */
const BATCH = 500;

const USERS = `
  SELECT key, id, pruned_seq AS prunedSeq, oldest_at AS oldestAtMs, coalesce(
    (SELECT seq FROM events WHERE user_key = users.key ORDER BY seq DESC LIMIT 1), pruned_seq) AS lastSeq
  FROM users WHERE key > ? ORDER BY key LIMIT ?`;

/**
 * A data folder that is read as a whole. As at any start of the server, what was still pending goes to its tables, and what a
 * stopped process had reserved of budgets counts as spent; else nothing in it is changed.
 */
export class SqliteSource {
  private readonly users;
  private readonly statements;

  private constructor(
    private readonly database: SqliteDatabase,
    /** Calls of models that were under way when the server ended. */
    readonly settledReservations: number,
  ) {
    this.users = database.prepare(USERS);
    this.statements = new Map(
      MOVED_TABLES.map((table) => {
        const { name, source, count = `SELECT count(*) AS n FROM (${source})` } = table;
        return [name, { rows: database.prepare(source), count: database.prepare(count) }];
      }),
    );
  }

  /** @throws CarrelError `invalid_config` when nothing is there; `data_locked` | `incompatible_data` */
  static open(dir: string): SqliteSource {
    if (!existsSync(join(dir, 'carrel.db'))) {
      const text = `The folder ${dir} has no carrel.db. Name the data folder of the server (its CARREL_DATA_DIR)`;
      throw new CarrelError('invalid_config', text);
    }
    const database = new SqliteDatabase({ dir, sync: 'full' });
    try {
      return new SqliteSource(database, settle(database));
    } catch (error) {
      database.close();
      throw error;
    }
  }

  /** All users, page by page. */
  *pages(): Generator<readonly SourceUser[]> {
    for (let after = 0; ;) {
      const page = this.users.all(after, USERS_PER_PAGE) as unknown as SourceUser[];
      if (page.length > 0) yield page;
      if (page.length < USERS_PER_PAGE) return;
      after = page.at(-1)!.key;
    }
  }

  /** The user's rows of a table, one after the other, as PostgreSQL has them. */
  *rows({ name, rowsOf }: MovedTable, { key, id }: SourceUser): Generator<Row> {
    for (const row of this.statements.get(name)!.rows.iterate(key)) {
      if (rowsOf) yield* rowsOf(row, id);
      else yield row;
    }
  }

  countsOf({ key }: SourceUser): Counts {
    return Object.fromEntries(
      [...this.statements].map(([name, { count }]) => [name, Number(count.get(key)?.n)] as const),
    );
  }

  /** Of all users, counted in the tables themselves: a row that belongs to nobody would be in it. */
  totals(): Counts {
    const totalOf = (table: string, sql = `SELECT count(*) AS n FROM ${table}`) =>
      Number(this.database.prepare(sql).get()?.n);
    return {
      users: totalOf('users'),
      ...Object.fromEntries(MOVED_TABLES.map(({ name, total }) => [name, totalOf(name, total)])),
      kill_switches: totalOf('kill_switches'),
      audit: totalOf('audit'),
    };
  }

  killSwitches(): readonly KillSwitchRow[] {
    return this.database.prepare('SELECT * FROM kill_switches').all() as unknown as KillSwitchRow[];
  }

  *audit(): Generator<AuditRow> {
    yield* this.database.prepare('SELECT * FROM audit').iterate() as Iterable<unknown> as Iterable<AuditRow>;
  }

  close(): void {
    this.database.close();
  }
}

/** @returns how many reservations were settled */
function settle(database: SqliteDatabase): number {
  const { spend } = new SqliteTables(database);
  let settled = 0;
  for (let batch = BATCH; batch === BATCH; settled += batch) {
    batch = database.transaction(() => spend.settleAbandoned(Number.MAX_SAFE_INTEGER, BATCH));
  }
  return settled;
}
