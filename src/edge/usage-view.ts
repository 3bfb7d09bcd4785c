import { DAY_MS, type UsageDay, type UsageFigures } from '../execution/usage-store.port.js';
import { UsageCounter } from '../execution/usage-counter.js';
import type { BudgetStanding } from '../execution/models/budgets.service.js';
import { isoTime, momentOf } from './run-view.js';

/** A user's figures as they see them: all together, and of each agent. */
export interface UsageView extends UsageFigures {
  /** The days that are counted, as the moments at which they begin and end. */
  readonly from: string;
  readonly to: string;
  readonly agents: readonly ({ readonly agent: string } & UsageFigures)[];
  /** Without those on which nothing ended and nothing was spent. */
  readonly days: readonly UsageDayView[];
  readonly budgets: readonly BudgetView[];
}

interface UsageDayView {
  /** In UTC, such as `2026-03-01`. */
  readonly date: string;
  readonly runs: number;
  readonly ranMs: number;
  readonly tokens: number;
  readonly usd: number;
}

interface BudgetView extends Omit<BudgetStanding, 'resetsAtMs'> {
  readonly resetsAt?: string;
}

export function toUsageView(
  byAgent: ReadonlyMap<string, UsageFigures>,
  byDay: readonly UsageDay[],
  days: { first: number; last: number },
  budgets: readonly BudgetStanding[],
): UsageView {
  return {
    from: isoTime(days.first * DAY_MS),
    to: isoTime((days.last + 1) * DAY_MS),
    ...together([...byAgent.values()]),
    agents: [...byAgent].map(([agent, figures]) => ({ agent, ...figures })),
    days: byDay.map(toDayView),
    budgets: budgets.map(({ resetsAtMs, ...budget }) => ({ ...budget, resetsAt: momentOf(resetsAtMs) })),
  };
}

function toDayView({ day, microUsd, ...figures }: UsageDay): UsageDayView {
  return { date: isoTime(day * DAY_MS).slice(0, 10), ...figures, usd: microUsd / 1_000_000 };
}

function together(all: readonly UsageFigures[]): UsageFigures {
  const used = new UsageCounter();
  for (const { usage } of all) used.add(usage);
  const sum = (amount: (figures: UsageFigures) => number) => all.reduce((total, one) => total + amount(one), 0);
  const max = (amount: (figures: UsageFigures) => number) => Math.max(0, ...all.map(amount));
  return {
    runs: {
      completed: sum(({ runs }) => runs.completed),
      degraded: sum(({ runs }) => runs.degraded),
      failed: sum(({ runs }) => runs.failed),
      timed_out: sum(({ runs }) => runs.timed_out),
      cancelled: sum(({ runs }) => runs.cancelled),
    },
    waitedMs: { sum: sum(({ waitedMs }) => waitedMs.sum), max: max(({ waitedMs }) => waitedMs.max) },
    ranMs: { sum: sum(({ ranMs }) => ranMs.sum), max: max(({ ranMs }) => ranMs.max) },
    usage: used.total ?? {},
  };
}
