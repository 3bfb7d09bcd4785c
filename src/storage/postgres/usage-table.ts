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
const COUNTS = [...STATUSES, 'waited_sum', 'ran_sum'] as const;

export const USAGE_COLUMNS = {
  day: 'int',
  agent: 'text',
  completed: 'bigint',
  degraded: 'bigint',
  failed: 'bigint',
  timed_out: 'bigint',
  cancelled: 'bigint',
  waited_sum: 'bigint',
  waited_max: 'bigint',
  ran_sum: 'bigint',
  ran_max: 'bigint',
  amounts: 'text',
} as const;

/** What ends of runs add to the figures of a user's day: one part of the statement that writes a batch. */
export const USAGE_PART = {
  name: 'usage',
  columns: { user_id: 'text', ...USAGE_COLUMNS },
  sql: (rows: string) => `
    INSERT INTO usage_days AS known (user_id, ${Object.keys(USAGE_COLUMNS).join(', ')})
    SELECT * FROM ${rows}
    ON CONFLICT (user_id, day, agent) DO UPDATE SET
      ${COUNTS.map((column) => `${column} = known.${column} + excluded.${column}`).join(', ')},
      waited_max = greatest(known.waited_max, excluded.waited_max), ran_max = greatest(known.ran_max, excluded.ran_max),
      amounts = coalesce(excluded.amounts, known.amounts)
    RETURNING user_id, day, xmax = 0 AS is_new`,
  /** With the first row of a day goes what is too old. */
  after: (returned: string) => `
    DELETE FROM usage_days old USING ${returned} x
    WHERE x.is_new AND old.user_id = x.user_id AND old.day <= x.day - ${USAGE_DAYS}`,
} as const;

type UsageRow = Record<keyof (typeof USAGE_PART)['columns'], unknown>;

/** What runs that have ended, of any users, add; asked in a transaction that holds the locks of these users. */
export async function usageRowsOf(connection: Queryable, ended: readonly EndedRun[]): Promise<UsageRow[]> {
  const days = byDay(ended);
  const amounts = await summedAmounts(connection, days);
  return days.map((day) => {
    const { user_id, agent, ends } = day;
    const counts = Object.fromEntries(
      STATUSES.map((status) => [status, ends.filter((end) => end.status === status).length]),
    ) as Record<TerminalStatus, number>;
    return {
      user_id,
      day: day.day,
      agent,
      ...counts,
      waited_sum: sumOf(ends.map(({ waitedMs }) => waitedMs)),
      waited_max: Math.max(...ends.map(({ waitedMs }) => waitedMs)),
      ran_sum: sumOf(ends.map(({ ranMs }) => ranMs)),
      ran_max: Math.max(...ends.map(({ ranMs }) => ranMs)),
      amounts: amounts.get(nameOf(day)),
    };
  });
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
