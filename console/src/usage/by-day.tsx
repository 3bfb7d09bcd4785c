import type { UsageView } from 'carrel/client';
import { durationText } from '../parts/shown.js';

type Day = UsageView['days'][number];

const DAY_MS = 24 * 60 * 60 * 1_000;

const CHARTS = [
  { name: 'Runs', amountOf: ({ runs }: Day) => runs, text: (amount: number) => amount.toLocaleString() },
  { name: 'Time', amountOf: ({ ranMs }: Day) => ranMs, text: durationText },
  { name: 'Tokens', amountOf: ({ tokens }: Day) => tokens, text: (amount: number) => amount.toLocaleString() },
  { name: 'Dollars', amountOf: ({ usd }: Day) => usd, text: (amount: number) => amount.toFixed(amount < 1 ? 4 : 2) },
] as const;

/** Runs, their time, tokens and money, day by day; what there was nothing of is left out. */
export function ByDay({ view }: { view: UsageView }) {
  const dates = datesOf(view);
  const byDate = new Map(view.days.map((day) => [day.date, day]));
  return (
    <div className="cards">
      {CHARTS.map(({ name, amountOf, text }) => {
        const amounts = dates.map((date) => {
          const day = byDate.get(date);
          return { date, amount: day ? amountOf(day) : 0 };
        });
        const total = amounts.reduce((sum, { amount }) => sum + amount, 0);
        return total > 0 && <Chart key={name} name={name} total={text(total)} amounts={amounts} text={text} />;
      })}
    </div>
  );
}

interface ChartProps {
  readonly name: string;
  readonly total: string;
  readonly amounts: readonly { readonly date: string; readonly amount: number }[];
  text(amount: number): string;
}

function Chart({ name, total, amounts, text }: ChartProps) {
  const most = amounts.reduce((top, one) => (one.amount > top.amount ? one : top));
  const [first, last] = [amounts[0]!.date, amounts.at(-1)!.date];
  return (
    <figure className="card day-chart">
      <figcaption>
        <strong>{name}</strong> <span>{total}</span>
      </figcaption>
      <svg
        viewBox={`0 0 ${amounts.length} 1`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${name} by day, most on ${most.date}: ${text(most.amount)}`}
      >
        {amounts.map(({ date, amount }, i) => {
          const height = amount / most.amount;
          return (
            <rect key={date} x={i + 0.1} width="0.8" y={1 - height} height={height} fill="var(--busy)">
              <title>{`${date}: ${text(amount)}`}</title>
            </rect>
          );
        })}
      </svg>
      <div className="small quiet day-chart-ends" aria-hidden="true">
        <span>{first}</span>
        <span>{last}</span>
      </div>
    </figure>
  );
}

/** Every day of the period, also those on which nothing was. */
function datesOf({ from, to }: UsageView): string[] {
  const [begin, end] = [Date.parse(from), Date.parse(to)];
  return Array.from({ length: Math.round((end - begin) / DAY_MS) }, (_, i) =>
    new Date(begin + i * DAY_MS).toISOString().slice(0, 10),
  );
}
