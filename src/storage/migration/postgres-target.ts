import type { UserId } from '../../shared/ids.js';
import type { AuditRow, KillSwitchRow } from '../operations-row.js';
import { arraysOf, unnested, type Columns } from '../postgres/column-arrays.js';
import {
  PostgresDatabase,
  type PostgresOptions,
  type Queryable,
  type Statement,
} from '../postgres/postgres-database.js';
import { NODE_LIVES } from '../postgres/postgres-nodes.js';
import { MOVED_TABLES, type MovedTable, type Row } from './moved-tables.js';
import { inBatches } from './row-batches.js';
import type { Counts, SourceUser } from './sqlite-source.js';

function statement(name: string, text: string): Statement {
  return { name: `migrate_${name}`, text };
}

const LIVING_NODES = statement('nodes', `SELECT count(*) AS n FROM nodes WHERE ${NODE_LIVES}`);
/** Like any lock of a user: whoever else writes of them waits for the end of the transaction that made the row. */
const ENLIST = statement(
  'enlist',
  `INSERT INTO users (id, version, last_seq, pruned_seq, oldest_at) VALUES ($1, 1, $2, $3, $4)
   ON CONFLICT DO NOTHING RETURNING id`,
);
const KNOWN = statement('known', 'SELECT id FROM users WHERE id = ANY($1)');
const COUNTS = statement(
  'counts',
  `SELECT (SELECT count(*) FROM users WHERE id = ANY($1)) AS users,
   ${MOVED_TABLES.map(({ name }) => `(SELECT count(*) FROM ${name} WHERE user_id = ANY($1)) AS ${name}`).join(', ')}`,
);
/** Users whose events are not numbered without a gap, from the first that is kept to the last that there was. */
const GAPS = statement(
  'gaps',
  `SELECT u.id FROM users u, LATERAL (
     SELECT count(*) AS n, min(seq) AS first, max(seq) AS last FROM events WHERE user_id = u.id) e
   WHERE u.id = ANY($1) AND NOT CASE WHEN e.n = 0 THEN u.last_seq = u.pruned_seq
     ELSE e.first = u.pruned_seq + 1 AND e.last = u.last_seq AND e.n = e.last - e.first + 1 END`,
);
const SWITCHES: Readonly<Record<keyof KillSwitchRow, string>> = {
  kind: 'text',
  name: 'text',
  reason: 'text',
  set_by: 'text',
  set_at: 'bigint',
};
const AUDIT: Readonly<Record<keyof AuditRow, string>> = {
  id: 'text',
  at: 'bigint',
  by_user: 'text',
  action: 'text',
  kind: 'text',
  name: 'text',
  details: 'text',
};
const COUNT_SWITCHES = statement(
  'count_switches',
  `SELECT count(*) AS n FROM kill_switches
     JOIN unnest($1::text[], $2::text[]) AS asked (kind, name) USING (kind, name)`,
);
const COUNT_AUDIT = statement('count_audit', 'SELECT count(*) AS n FROM audit WHERE id = ANY($1)');

/** The database that several nodes will share. */
export class PostgresTarget {
  private constructor(private readonly database: PostgresDatabase) {}

  /** @throws CarrelError `database_unavailable` | `invalid_config` | `unsupported_database` | `incompatible_data` */
  static async open(options: PostgresOptions): Promise<PostgresTarget> {
    return new PostgresTarget(await PostgresDatabase.open(options));
  }

  async livingNodes(): Promise<number> {
    return countFrom(await this.database.query(LIVING_NODES));
  }

  /** Those who are there already. */
  async known(userIds: readonly UserId[]): Promise<ReadonlySet<UserId>> {
    return new Set((await this.database.query<{ id: UserId }>(KNOWN, [userIds])).map(({ id }) => id));
  }

  async countsOf(userIds: readonly UserId[]): Promise<Counts> {
    const [counts] = await this.database.query<Record<string, number>>(COUNTS, [userIds]);
    return counts!;
  }

  async usersWithGaps(userIds: readonly UserId[]): Promise<UserId[]> {
    return (await this.database.query<{ id: UserId }>(GAPS, [userIds])).map(({ id }) => id);
  }

  /**
   * Writes everything of a user in one transaction. Nobody else changes anything of the user's meanwhile.
   *
   * @returns false when somebody else has brought the user meanwhile; nothing is written then
   */
  copy(user: SourceUser, rowsOf: (table: MovedTable) => Iterable<Row>): Promise<boolean> {
    return this.database.transaction(async (connection) => {
      const { id, lastSeq, prunedSeq, oldestAtMs } = user;
      if ((await connection.query(ENLIST, [id, lastSeq, prunedSeq, oldestAtMs])).length === 0) return false;
      for (const table of MOVED_TABLES) {
        for (const batch of inBatches(rowsOf(table))) await insert(connection, table, id, batch);
      }
      return true;
    });
  }

  /** Adds what is not there yet. A switch that is there stays as it is. */
  async addOperations(switches: readonly KillSwitchRow[], audit: Iterable<AuditRow>): Promise<void> {
    await this.add('kill_switches', SWITCHES, switches);
    for (const batch of inBatches(audit)) await this.add('audit', AUDIT, batch);
  }

  async countOperations(switches: readonly KillSwitchRow[], audit: Iterable<AuditRow>): Promise<Counts> {
    const pairs = [switches.map(({ kind }) => kind), switches.map(({ name }) => name)];
    let entries = 0;
    for (const batch of inBatches(audit)) {
      entries += countFrom(await this.database.query(COUNT_AUDIT, [batch.map(({ id }) => id)]));
    }
    return { kill_switches: countFrom(await this.database.query(COUNT_SWITCHES, pairs)), audit: entries };
  }

  close(): Promise<void> {
    return this.database.close();
  }

  private async add(table: string, columns: Columns, rows: readonly object[]): Promise<void> {
    const names = Object.keys(columns).join(', ');
    const text = `INSERT INTO ${table} (${names}) SELECT * FROM ${unnested(columns)} ON CONFLICT DO NOTHING`;
    await this.database.query(statement(table, text), arraysOf(columns, rows as readonly Row[]));
  }
}

/** Whoever has a place waits for a node from now on. */
async function insert(
  connection: Queryable,
  { name, columns }: MovedTable,
  userId: UserId,
  rows: readonly Row[],
): Promise<void> {
  const names = Object.keys(columns).join(', ');
  const [column, value] =
    name === 'runs' ? [', admitted_at', ', CASE WHEN admitted THEN clock_timestamp() END'] : ['', ''];
  const text = `
    INSERT INTO ${name} (${names}${column}, user_id)
    SELECT ${names}${value}, $${Object.keys(columns).length + 1} FROM ${unnested(columns)}`;
  await connection.query(statement(name, text), [...arraysOf(columns, rows), userId]);
}

function countFrom(rows: readonly { n?: number }[]): number {
  return Number(rows[0]?.n);
}
