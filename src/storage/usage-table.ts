import type { Usage } from '../events/run-error.js';
import type { RunOutcome } from '../execution/run-store.port.js';
import { UsageCounter } from '../execution/usage-counter.js';
import { DAY_MS, USAGE_DAYS } from '../execution/usage-store.port.js';
import { parsed, type LiveRun } from './run-row.js';
import type { SqliteDatabase } from './sqlite-database.js';
import type { UserState } from './user-table.js';

/** Every day of a user that is asked about, all agents. */
export const USAGE_OF_DAYS = `
  SELECT * FROM usage_days INDEXED BY usage_by_day
  WHERE user_key = (SELECT key FROM users WHERE id = ?) AND day BETWEEN ? AND ?`;

const STATUSES = ['completed', 'degraded', 'failed', 'timed_out', 'cancelled'] as const;

/** The writer's half of `usage_days`: one row for each user, UTC day and agent. */
export class UsageTable {
  private readonly add;
  private readonly amountsOf;
  private readonly removeOld;

  constructor(database: SqliteDatabase) {
    this.add = database.prepare(
      `INSERT INTO usage_days (user_key, day, agent, completed, degraded, failed, timed_out, cancelled,
         waited_sum, waited_max, ran_sum, ran_max, amounts)
       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, ?10, ?10, ?11)
       ON CONFLICT (user_key, day, agent) DO UPDATE SET
         completed = completed + ?4, degraded = degraded + ?5, failed = failed + ?6, timed_out = timed_out + ?7,
         cancelled = cancelled + ?8, waited_sum = waited_sum + ?9, waited_max = max(waited_max, ?9),
         ran_sum = ran_sum + ?10, ran_max = max(ran_max, ?10), amounts = coalesce(?11, amounts)
       RETURNING completed + degraded + failed + timed_out + cancelled AS runs`,
    );
    this.amountsOf = database.prepare(
      'SELECT amounts FROM usage_days WHERE user_key = ? AND day = ? AND agent = ? AND amounts IS NOT NULL',
    );
    this.removeOld = database.prepare('DELETE FROM usage_days WHERE user_key = ? AND day <= ?');
  }

  /** Counts a run that ends. */
  count(user: UserState, run: LiveRun, { status, endedAtMs, usage }: RunOutcome): void {
    const day = Math.floor(endedAtMs / DAY_MS);
    const [completed, degraded, failed, timedOut, cancelled] = STATUSES.map((one) => (one === status ? 1 : 0));
    const startedAtMs = run.startedAtMs ?? endedAtMs;
    // a clock that was set back must not take time away
    const waitedMs = Math.max(0, startedAtMs - run.createdAtMs);
    const ranMs = Math.max(0, endedAtMs - startedAtMs);
    const amounts = usage ? this.summed(user, day, run.agent, usage) : null;
    const row = this.add.get(
      user.key,
      day,
      run.agent,
      completed!,
      degraded!,
      failed!,
      timedOut!,
      cancelled!,
      waitedMs,
      ranMs,
      amounts,
    );
    if (row?.runs === 1) this.removeOld.run(user.key, day - USAGE_DAYS);
  }

  private summed(user: UserState, day: number, agent: string, usage: Usage): string {
    const known = this.amountsOf.get(user.key, day, agent);
    const counter = new UsageCounter();
    if (known) counter.add(parsed(known.amounts, agent) as Usage);
    counter.add(usage);
    return JSON.stringify(counter.total ?? {});
  }
}
