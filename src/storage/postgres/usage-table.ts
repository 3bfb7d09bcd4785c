import type { Usage } from '../../events/run-error.js';
import type { TerminalStatus } from '../../execution/run-status.js';
import { UsageCounter } from '../../execution/usage-counter.js';
import { DAY_MS, USAGE_DAYS } from '../../execution/usage-store.port.js';
import type { UserId } from '../../shared/ids.js';
import { parsed } from '../run-row.js';
import type { Queryable } from './postgres-database.js';

/** What a user's figures need to know of a run that has ended. */
export interface EndedRun {
  userId: UserId;
  agent: string;
  status: TerminalStatus;
  endedAtMs: number;
  waitedMs: number;
  ranMs: number;
  usage?: Usage;
}

/** One row of `usage_days`, by its key. */
interface DayKey {
  user_id: UserId;
  day: number;
  agent: string;
}

interface DayEnds extends DayKey {
  ends: EndedRun[];
}

const STATUSES = ['completed', 'degraded', 'failed', 'timed_out', 'cancelled'] as const;

const AMOUNTS = {
  name: 'usage_amounts',
  text: `
    SELECT user_id, day, agent, amounts
    FROM usage_days JOIN unnest($1::text[], $2::int[], $3::text[]) AS asked (user_id, day, agent) USING (user_id, day, agent)
    WHERE amounts IS NOT NULL`,
};
const ADD = {
  name: 'usage_add',
  text: `
    INSERT INTO usage_days AS known (user_id, day, agent, completed, degraded, failed, timed_out, cancelled,
      waited_sum, waited_max, ran_sum, ran_max, amounts)
    SELECT * FROM unnest($1::text[], $2::int[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
      $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::text[])
    ON CONFLICT (user_id, day, agent) DO UPDATE SET
      completed = known.completed + excluded.completed, degraded = known.degraded + excluded.degraded,
      failed = known.failed + excluded.failed, timed_out = known.timed_out + excluded.timed_out,
      cancelled = known.cancelled + excluded.cancelled,
      waited_sum = known.waited_sum + excluded.waited_sum, waited_max = greatest(known.waited_max, excluded.waited_max),
      ran_sum = known.ran_sum + excluded.ran_sum, ran_max = greatest(known.ran_max, excluded.ran_max),
      amounts = coalesce(excluded.amounts, known.amounts)
    RETURNING user_id, day, agent, completed + degraded + failed + timed_out + cancelled AS runs`,
};
const REMOVE_OLD = {
  name: 'usage_remove_old',
  text: `
    DELETE FROM usage_days USING unnest($1::text[], $2::int[]) AS begun (user_id, day)
    WHERE usage_days.user_id = begun.user_id AND usage_days.day <= begun.day`,
};

/** Counts runs that have ended, of any users, in a transaction that holds the locks of these users. */
export async function countEnds(connection: Queryable, ended: readonly EndedRun[]): Promise<void> {
  const days = byDay(ended);
  if (days.length === 0) return;
  const amounts = await summedAmounts(connection, days);
  const rows = await connection.query<DayKey & { runs: number }>(ADD, [
    ...keysOf(days),
    ...STATUSES.map((status) => days.map(({ ends }) => ends.filter((end) => end.status === status).length)),
    days.map(({ ends }) => sumOf(ends.map(({ waitedMs }) => waitedMs))),
    days.map(({ ends }) => Math.max(...ends.map(({ waitedMs }) => waitedMs))),
    days.map(({ ends }) => sumOf(ends.map(({ ranMs }) => ranMs))),
    days.map(({ ends }) => Math.max(...ends.map(({ ranMs }) => ranMs))),
    days.map((day) => amounts.get(nameOf(day)) ?? null),
  ]);
  const counts = new Map(days.map((day) => [nameOf(day), day.ends.length]));
  const begun = rows.filter((row) => row.runs === counts.get(nameOf(row)));
  if (begun.length === 0) return;
  const lastOld = begun.map(({ day }) => day - USAGE_DAYS);
  await connection.query(REMOVE_OLD, [begun.map(({ user_id }) => user_id), lastOld]);
}

function byDay(ended: readonly EndedRun[]): DayEnds[] {
  const days = new Map<string, DayEnds>();
  for (const end of ended) {
    const key: DayKey = { user_id: end.userId, day: Math.floor(end.endedAtMs / DAY_MS), agent: end.agent };
    const known = days.get(nameOf(key));
    if (known) known.ends.push(end);
    else days.set(nameOf(key), { ...key, ends: [end] });
  }
  return [...days.values()];
}

/** The column `amounts` of those days on which something was used. */
async function summedAmounts(connection: Queryable, days: readonly DayEnds[]): Promise<Map<string, string>> {
  const used = days.filter(({ ends }) => ends.some(({ usage }) => usage !== undefined));
  if (used.length === 0) return new Map();
  const rows = await connection.query<DayKey & { amounts: string }>(AMOUNTS, keysOf(used));
  const known = new Map(rows.map((row) => [nameOf(row), parsed(row.amounts, row.agent) as Usage]));
  return new Map(
    used.map((day) => {
      const counter = new UsageCounter();
      counter.add(known.get(nameOf(day)) ?? {});
      for (const { usage } of day.ends) if (usage) counter.add(usage);
      return [nameOf(day), JSON.stringify(counter.total ?? {})];
    }),
  );
}

function keysOf(days: readonly DayKey[]): unknown[] {
  return [days.map(({ user_id }) => user_id), days.map(({ day }) => day), days.map(({ agent }) => agent)];
}

function nameOf({ user_id, day, agent }: DayKey): string {
  return JSON.stringify([user_id, day, agent]);
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, one) => sum + one, 0);
}
