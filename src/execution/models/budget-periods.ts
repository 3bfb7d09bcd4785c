import { DAY_MS } from '../usage-store.port.js';
import type { BudgetScope } from './budget-store.port.js';

/** UTC days, numbered from the Unix epoch. */
export interface Days {
  readonly first: number;
  readonly last: number;
}

export function dayOf(atMs: number): number {
  return Math.floor(atMs / DAY_MS);
}

/** The days of the UTC calendar month that a day is in. */
export function monthOf(day: number): Days {
  const date = new Date(day * DAY_MS);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  return { first: dayOf(Date.UTC(year, month)), last: dayOf(Date.UTC(year, month + 1)) - 1 };
}

/** The days that are counted together with one. */
export function daysOf(scope: 'day' | 'month', day: number): Days {
  return scope === 'day' ? { first: day, last: day } : monthOf(day);
}

/** When a scope begins anew, in milliseconds since the Unix epoch; undefined: never. */
export function resetsAtMs(scope: BudgetScope, atMs: number): number | undefined {
  if (scope === 'run') return undefined;
  return (daysOf(scope, dayOf(atMs)).last + 1) * DAY_MS;
}
