import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StatementSync } from 'node:sqlite';
import { SqliteDatabase } from '../../src/storage/sqlite/sqlite-database.js';
import { SqliteTables } from '../../src/storage/sqlite/sqlite-tables.js';

/** Notes every statement that the adapters prepare. */
class RecordingDatabase extends SqliteDatabase {
  readonly statements: string[] = [];

  override prepare(sql: string): StatementSync {
    this.statements.push(sql.replaceAll(/\s+/g, ' ').trim());
    return super.prepare(sql);
  }

  plan(sql: string): string[] {
    return super
      .prepare(`EXPLAIN QUERY PLAN ${sql}`)
      .all()
      .map(({ detail }) => String(detail));
  }
}

const dir = mkdtempSync(join(tmpdir(), 'carrel-plans-'));
const database = new RecordingDatabase({ dir, sync: 'normal' });
new SqliteTables(database);

afterAll(() => {
  database.close();
  rmSync(dir, { recursive: true });
});

/** Looks at all users on purpose: the start of a process, retention, what is due, and questions, which others may answer. */
const FOR_ALL_USERS = [
  /^SELECT r\.id, r\.status, r\.fence, u\.id AS user_id FROM/,
  /^UPDATE runs SET idempotency_key = NULL/,
  /^SELECT max\(/,
  /^SELECT id FROM runs WHERE key = \(SELECT max\(key\)/,
  /INDEXED BY (runs_due|runs_with_steps|approvals_by_expiry|schedules_due|approvals_by_id|reservations_by_age)\b/,
];

/** What operators ask about everybody: over what is under way, which is bounded by the lanes, and over the few switches. */
const OF_OPERATORS =
  /^SELECT u\.id(, c\.n)? FROM|^SELECT u\.id AS user_id, r\.id(, r\.agent|\sFROM)|FROM (kill_switches|audit)\b|^SELECT count\(\*\) AS n(, min\(CASE.*)? FROM runs INDEXED BY runs_(in_line|admitted)/;

describe('the statements of the embedded storage', () => {
  it('are more than a few', () => {
    expect(database.statements.length).toBeGreaterThan(30);
  });

  it.each(database.statements.map((sql) => [sql]))('stays flat as the tables grow: %s', (sql) => {
    if (OF_OPERATORS.test(sql)) return;
    // it is read as a whole on purpose: the backlog is short
    if (sql === 'SELECT * FROM backlog ORDER BY key') return;
    // all events of a user are too many to look at, unless it is the last one that is asked for
    const slow = sql.includes('ORDER BY seq DESC LIMIT 1')
      ? /\bSCAN (?!CONSTANT ROW)|TEMP B-TREE/
      : /\bSCAN (?!CONSTANT ROW)|TEMP B-TREE|events_by_user \(user_key=\?\)/;
    expect(database.plan(sql).filter((line) => slow.test(line))).toEqual([]);
  });

  const ofUsers =
    /\b(runs|run_requests|run_steps|events|threads|approvals|schedules|spend_days|run_spend|reservations|messages)\b/;
  it.each(database.statements.filter((sql) => ofUsers.test(sql)).map((sql) => [sql]))('names the user: %s', (sql) => {
    if (OF_OPERATORS.test(sql) || FOR_ALL_USERS.some((pattern) => pattern.test(sql))) return;
    const named = sql.startsWith('INSERT')
      ? /\(.*\buser_key\b.*\) (VALUES|SELECT)/
      : /\buser_key = |WHERE (u\.)?id = \?/;
    expect(sql).toMatch(named);
  });

  it.each(
    database.statements
      .filter((sql) => /\b(run_steps|approvals|schedules|hold|messages)\b/.test(sql) && sql.startsWith('SELECT'))
      .map((sql) => [sql]),
  )('names the index that it goes by: %s', (sql) => expect(sql).toMatch(/INDEXED BY/));
});
