import { BUDGET_SCOPES, type BudgetExcess } from '../../execution/models/budget-store.port.js';
import type { BudgetScope, ReservationRequest, Spend, Spent } from '../../execution/models/budget-store.port.js';
import { dayOf, daysOf, monthOf, type Days } from '../../execution/models/budget-periods.js';
import { USAGE_DAYS } from '../../execution/usage-store.port.js';
import type { RunId, UserId } from '../../shared/ids.js';
import { excessOf, NO_SUM, spendFromRow, sum, type SumRow } from '../spend-row.js';
import type { SqliteDatabase } from './sqlite-database.js';
import type { SqliteUser } from './user-table.js';

const SUMS = 'coalesce(sum(tokens), 0) AS tokens, coalesce(sum(micro_usd), 0) AS micro_usd';
const USER_KEY = '(SELECT key FROM users WHERE id = ?1)';

const SPEND_QUERIES = {
  days: `SELECT ${SUMS} FROM spend_days WHERE user_key = ?1 AND day BETWEEN ?2 AND ?3`,
  run: 'SELECT tokens, micro_usd FROM run_spend WHERE run_key = ? AND user_key = ?',
  /** A user's calls under way are few: all of them are looked at. */
  openOfDays: `SELECT ${SUMS} FROM reservations WHERE user_key = ?1 AND day BETWEEN ?2 AND ?3`,
  openOfRun: `SELECT ${SUMS} FROM reservations WHERE user_key = ?1 AND run_id = ?2`,
  has: 'SELECT 1 FROM reservations WHERE user_key = ? AND run_id = ? AND key = ?',
  reserve: `
    INSERT INTO reservations (user_key, run_id, key, run_key, day, tokens, micro_usd, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  beginRun: 'INSERT OR IGNORE INTO run_spend (run_key, user_key, tokens, micro_usd) VALUES (?, ?, 0, 0)',
  take: `
    DELETE FROM reservations WHERE user_key = ? AND run_id = ? AND key = ? RETURNING run_key, day, tokens, micro_usd`,
  addToRun: `
    UPDATE run_spend SET tokens = tokens + ?3, micro_usd = micro_usd + ?4 WHERE run_key = ?1 AND user_key = ?2
    RETURNING tokens, micro_usd`,
  addToDay: `
    INSERT INTO spend_days (user_key, day, calls, tokens, micro_usd) VALUES (?1, ?2, 1, ?3, ?4)
    ON CONFLICT (user_key, day) DO UPDATE SET
      calls = calls + 1, tokens = tokens + ?3, micro_usd = micro_usd + ?4
    RETURNING calls, tokens, micro_usd`,
  removeOld: 'DELETE FROM spend_days WHERE user_key = ? AND day <= ?',
  abandoned: `
    SELECT user_key, run_id, key FROM reservations INDEXED BY reservations_by_age WHERE at < ? ORDER BY at LIMIT ?`,
  spentOfUser: `SELECT ${SUMS} FROM spend_days WHERE user_key = ${USER_KEY} AND day BETWEEN ?2 AND ?3`,
  openOfUser: `SELECT ${SUMS} FROM reservations WHERE user_key = ${USER_KEY} AND day BETWEEN ?2 AND ?3`,
} as const;

/** What is spent and reserved: one row for each call under way, and sums of each user's days and runs. */
export class SpendTable {
  private readonly statements;

  constructor(database: SqliteDatabase) {
    const { days, run, openOfDays, openOfRun, has, reserve, beginRun } = SPEND_QUERIES;
    const { take, addToRun, addToDay, removeOld, abandoned, spentOfUser, openOfUser } = SPEND_QUERIES;
    this.statements = {
      days: database.prepare(days),
      run: database.prepare(run),
      openOfDays: database.prepare(openOfDays),
      openOfRun: database.prepare(openOfRun),
      has: database.prepare(has),
      reserve: database.prepare(reserve),
      beginRun: database.prepare(beginRun),
      take: database.prepare(take),
      addToRun: database.prepare(addToRun),
      addToDay: database.prepare(addToDay),
      removeOld: database.prepare(removeOld),
      abandoned: database.prepare(abandoned),
      spentOfUser: database.prepare(spentOfUser),
      openOfUser: database.prepare(openOfUser),
    };
  }

  hasReserved(user: SqliteUser, runId: RunId, key: string): boolean {
    return this.statements.has.get(user.key, runId, key) !== undefined;
  }

  /** The first limit that the request would pass. Only scopes that are limited are looked at. */
  excess(
    user: SqliteUser,
    runKey: number,
    { runId, estimate, limits, atMs }: ReservationRequest,
  ): BudgetExcess | undefined {
    const day = dayOf(atMs);
    for (const scope of BUDGET_SCOPES) {
      if (!limits[scope]) continue;
      const used = scope === 'run' ? this.usedByRun(user, runKey, runId) : this.usedIn(user, daysOf(scope, day));
      const excess = excessOf(scope, limits, used, estimate);
      if (excess) return excess;
    }
    return undefined;
  }

  reserve(user: SqliteUser, runKey: number, { runId, key, estimate, atMs }: ReservationRequest): void {
    const { tokens, microUsd } = estimate;
    this.statements.beginRun.run(runKey, user.key);
    this.statements.reserve.run(user.key, runId, key, runKey, dayOf(atMs), tokens, microUsd, atMs);
  }

  /** @returns what is spent in each scope with this in it; undefined when there is no such reservation */
  settle(userKey: number, runId: RunId, key: string, actual?: Spend): Record<BudgetScope, Spend> | undefined {
    const taken = this.statements.take.get(userKey, runId, key) as
      (SumRow & { run_key: number; day: number }) | undefined;
    if (!taken) return undefined;
    const cost = actual ?? spendFromRow(taken);
    const run = this.statements.addToRun.get(taken.run_key, userKey, cost.tokens, cost.microUsd) as SumRow | undefined;
    const day = this.statements.addToDay.get(userKey, taken.day, cost.tokens, cost.microUsd) as unknown as SumRow & {
      calls: number;
    };
    if (day.calls === 1) this.statements.removeOld.run(userKey, taken.day - USAGE_DAYS);
    const { first, last } = monthOf(taken.day);
    return {
      run: run ? spendFromRow(run) : cost,
      day: spendFromRow(day),
      month: spendFromRow(this.statements.days.get(userKey, first, last) as unknown as SumRow),
    };
  }

  /** @returns how many were settled, at most `limit` */
  settleAbandoned(beforeMs: number, limit: number): number {
    const rows = this.statements.abandoned.all(beforeMs, limit);
    for (const { user_key, run_id, key } of rows) this.settle(Number(user_key), run_id as RunId, String(key));
    return rows.length;
  }

  /** The reader's question. */
  used(userId: UserId, { first, last }: Days): Spent {
    return {
      spent: spendFromRow(this.statements.spentOfUser.get(userId, first, last) as unknown as SumRow),
      reserved: spendFromRow(this.statements.openOfUser.get(userId, first, last) as unknown as SumRow),
    };
  }

  private usedByRun(user: SqliteUser, runKey: number, runId: RunId): Spend {
    const run = this.statements.run.get(runKey, user.key) as SumRow | undefined;
    const open = this.statements.openOfRun.get(user.key, runId) as unknown as SumRow;
    return sum(run ?? NO_SUM, open);
  }

  private usedIn(user: SqliteUser, { first, last }: Days): Spend {
    const { days, openOfDays } = this.statements;
    return sum(
      days.get(user.key, first, last) as unknown as SumRow,
      openOfDays.get(user.key, first, last) as unknown as SumRow,
    );
  }
}
