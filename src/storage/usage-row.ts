import type { Usage } from '../events/run-error.js';
import { UsageCounter } from '../execution/usage-counter.js';
import type { UsageDay, UsageFigures } from '../execution/usage-store.port.js';
import { parsed } from './run-row.js';

/** What ended on one day, of one user and agent. */
export interface UsageRow {
  day: number;
  agent: string;
  completed: number;
  degraded: number;
  failed: number;
  timed_out: number;
  cancelled: number;
  waited_sum: number;
  waited_max: number;
  ran_sum: number;
  ran_max: number;
  amounts: string | null;
}

/** What a user has spent on one day. */
export interface SpentRow {
  day: number;
  tokens: number;
  micro_usd: number;
}

/** The earliest first. */
export function usageDaysOf(ended: readonly UsageRow[], spent: readonly SpentRow[]): UsageDay[] {
  const days = new Map<number, UsageDay>();
  const dayOf = (day: number): UsageDay => {
    const known = days.get(day) ?? { day, runs: 0, ranMs: 0, tokens: 0, microUsd: 0 };
    days.set(day, known);
    return known;
  };
  for (const row of ended) {
    const day = dayOf(row.day);
    day.runs += row.completed + row.degraded + row.failed + row.timed_out + row.cancelled;
    day.ranMs += row.ran_sum;
  }
  for (const { day, tokens, micro_usd } of spent) Object.assign(dayOf(day), { tokens, microUsd: micro_usd });
  return [...days.values()].toSorted((a, b) => a.day - b.day);
}

interface Sums extends Omit<UsageFigures, 'usage'> {
  usage: UsageCounter;
}

/** By agent, sorted. */
export function figuresOf(rows: readonly UsageRow[]): ReadonlyMap<string, UsageFigures> {
  const byAgent = new Map<string, Sums>();
  for (const row of rows) {
    const sums = byAgent.get(row.agent) ?? nothing();
    addRow(sums, row);
    byAgent.set(row.agent, sums);
  }
  const sorted = [...byAgent].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return new Map(sorted.map(([agent, sums]) => [agent, { ...sums, usage: sums.usage.total ?? {} }]));
}

function nothing(): Sums {
  return {
    runs: { completed: 0, degraded: 0, failed: 0, timed_out: 0, cancelled: 0 },
    waitedMs: { sum: 0, max: 0 },
    ranMs: { sum: 0, max: 0 },
    usage: new UsageCounter(),
  };
}

function addRow({ runs, waitedMs, ranMs, usage }: Sums, row: UsageRow): void {
  runs.completed += row.completed;
  runs.degraded += row.degraded;
  runs.failed += row.failed;
  runs.timed_out += row.timed_out;
  runs.cancelled += row.cancelled;
  waitedMs.sum += row.waited_sum;
  waitedMs.max = Math.max(waitedMs.max, row.waited_max);
  ranMs.sum += row.ran_sum;
  ranMs.max = Math.max(ranMs.max, row.ran_max);
  if (row.amounts !== null) usage.add(parsed(row.amounts, row.agent) as Usage);
}
