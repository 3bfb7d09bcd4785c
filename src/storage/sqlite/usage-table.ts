import type { Usage } from '../../events/run-error.js';
import { UsageCounter } from '../../execution/usage-counter.js';
import { DAY_MS, USAGE_DAYS } from '../../execution/usage-store.port.js';
import type { PendingUser, RunEnd } from './backlog-rows.js';
import { parsed } from '../run-row.js';
import type { SqliteDatabase } from './sqlite-database.js';

/** Every day of a user that is asked about, all agents. */
export const USAGE_OF_DAYS = `
  SELECT * FROM usage_days INDEXED BY usage_by_day
  WHERE user_key = (SELECT key FROM users WHERE id = ?) AND day BETWEEN ? AND ?`;

/** What was spent on each of these days. */
export const SPENT_ON_DAYS = `
  SELECT day, tokens, micro_usd FROM spend_days
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
       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
       ON CONFLICT (user_key, day, agent) DO UPDATE SET
         completed = completed + ?4, degraded = degraded + ?5, failed = failed + ?6, timed_out = timed_out + ?7,
         cancelled = cancelled + ?8, waited_sum = waited_sum + ?9, waited_max = max(waited_max, ?10),
         ran_sum = ran_sum + ?11, ran_max = max(ran_max, ?12), amounts = coalesce(?13, amounts)
       RETURNING completed + degraded + failed + timed_out + cancelled AS runs`,
    );
    this.amountsOf = database.prepare(
      'SELECT amounts FROM usage_days WHERE user_key = ? AND day = ? AND agent = ? AND amounts IS NOT NULL',
    );
    this.removeOld = database.prepare('DELETE FROM usage_days WHERE user_key = ? AND day <= ?');
  }

  /** Counts runs that have ended. */
  count(user: Pick<PendingUser, 'key' | 'isNew'>, ends: readonly RunEnd[]): void {
    for (const [day, ofDay] of Map.groupBy(ends, ({ endedAtMs }) => Math.floor(endedAtMs / DAY_MS))) {
      for (const [agent, ofAgent] of Map.groupBy(ofDay, (end) => end.agent)) {
        const runs = this.addUp(user.key, { day, agent }, ofAgent);
        if (runs === ofAgent.length && !user.isNew) this.removeOld.run(user.key, day - USAGE_DAYS);
      }
    }
  }

  /** @returns how many runs the day has now */
  private addUp(userKey: number, { day, agent }: { day: number; agent: string }, ends: readonly RunEnd[]): number {
    const [completed, degraded, failed, timedOut, cancelled] = STATUSES.map(
      (one) => ends.filter(({ status }) => status === one).length,
    );
    const row = this.add.get(
      userKey,
      day,
      agent,
      completed!,
      degraded!,
      failed!,
      timedOut!,
      cancelled!,
      ends.reduce((sum, { waitedMs }) => sum + waitedMs, 0),
      Math.max(...ends.map(({ waitedMs }) => waitedMs)),
      ends.reduce((sum, { ranMs }) => sum + ranMs, 0),
      Math.max(...ends.map(({ ranMs }) => ranMs)),
      this.summed(userKey, { day, agent }, ends),
    );
    return Number(row?.runs);
  }

  private summed(
    userKey: number,
    { day, agent }: { day: number; agent: string },
    ends: readonly RunEnd[],
  ): string | null {
    const amounts = ends.map(({ usage }) => usage).filter((usage) => usage !== undefined);
    if (amounts.length === 0) return null;
    const counter = new UsageCounter();
    const known = this.amountsOf.get(userKey, day, agent);
    if (known) counter.add(parsed(known.amounts, agent) as Usage);
    for (const one of amounts) counter.add(one);
    return JSON.stringify(counter.total ?? {});
  }
}
