import * as chrono from 'chrono-node';

/** A day, or a time of it, where it stands in a text. */
export interface FoundDate {
  /** `2026-03-01`. */
  readonly date: string;
  /** ISO 8601 in UTC. */
  readonly dateTime: string;
  readonly start: number;
  readonly end: number;
}

/** Dates in a text, in common forms; what is relative ("tomorrow") counts from `nowMs`. Times without a zone are UTC. */
export function datesIn(text: string, nowMs: number): FoundDate[] {
  const reference = { instant: new Date(nowMs), timezone: 'UTC' };
  return chrono.parse(text, reference, { forwardDate: true }).map(({ start, index, text: found }) => {
    const at = start.date();
    const year = String(start.get('year')).padStart(4, '0');
    const date = [year, ...[start.get('month'), start.get('day')].map((part) => String(part).padStart(2, '0'))].join(
      '-',
    );
    return { date, dateTime: at.toISOString(), start: index, end: index + found.length };
  });
}
