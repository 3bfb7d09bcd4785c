/** Tables are kept as what each round measured; medians, spans and ratios are worked out from that wherever they are shown. */
import { median } from '../lib.mjs';

/** `12 (10–14)`: the median, the least and the most of all rounds. */
export function span(values, digits = 0) {
  const text = (value) => value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const [middle, least, most] = [median(values), Math.min(...values), Math.max(...values)].map(text);
  return values.length > 1 ? `${middle} (${least}–${most})` : middle;
}

export function quantile(values, q) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))];
}

/** What a row had in each round. */
export function roundsOf(table, label, column) {
  const row = table.rows.find((one) => one.label === label);
  if (!row) throw new Error(`no row ${label} in the table ${table.title}`);
  return row.rounds.map((round) => round[column]);
}

/** Ratios are taken within each round: what disturbed one round disturbed both sides alike. */
export function ratiosOf(table, { of, to, column }) {
  const others = roundsOf(table, to, column);
  return roundsOf(table, of, column).map((value, round) => value / others[round]);
}

/** An aim about the ratio of two rows of a table: the median of the rounds decides. */
export function ratioAim(text, table, ratio, { atLeast, atMost }) {
  return aim(text, ratiosOf(table, ratio), { atLeast, atMost, digits: 2, unit: ' ×' });
}

/** An aim about one figure of one row. */
export function figureAim(text, table, { of, column }, { atLeast, atMost, digits = 1, unit = '' }) {
  return aim(text, roundsOf(table, of, column), { atLeast, atMost, digits, unit });
}

/** An aim about something that was worked out of each round. */
export function aim(text, values, { atLeast, atMost, digits = 2, unit = '' }) {
  const reached = median(values);
  const isReached = atLeast === undefined ? reached <= atMost : reached >= atLeast;
  const wanted = atLeast === undefined ? `≤ ${atMost}${unit}` : `≥ ${atLeast}${unit}`;
  return { text, aim: wanted, reached: `${span(values, digits)}${unit}`, isReached };
}

/**
 * Alternating rounds: in each round all variants have their turn, one after the other; every other round goes backwards, so that
 * nobody always works after the same one. Returns the rows of a table.
 */
export async function alternate(variants, rounds, measure) {
  const rows = variants.map(({ label }) => ({ label, rounds: [] }));
  for (let round = 0; round < rounds; round++) {
    const order = variants.map((variant, i) => [variant, rows[i]]);
    if (round % 2 === 1) order.reverse();
    for (const [variant, row] of order) row.rounds.push(await measure(variant, round));
  }
  return rows;
}
