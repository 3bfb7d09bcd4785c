import type { ClusterUser } from './cluster-user.js';

/** What a fault has cost the users, in milliseconds. */
export interface Figures {
  fault: string;
  accepted: number;
  ended: number;
  /** From the acceptance of a run to its end at the user's socket, by when it was under way. */
  before: Percentiles;
  during: Percentiles;
  after: Percentiles;
  /** Between two events of one user, at most, from when the fault began. */
  silenceMs: number;
  /** From when the fault began until the last of the runs that were under way then had ended. */
  wentOnMs: number;
}

type Percentiles = { p50: number; p99: number } | undefined;

/** @param began when the fault began, and when it was over */
export function figuresOf(fault: string, users: readonly ClusterUser[], began: number, over: number): Figures {
  const runs = users.flatMap((user) =>
    user.accepted.map((id) => ({ accepted: user.acceptedAtMs.get(id)!, ended: user.endedAtMs.get(id)! })),
  );
  const took = (some: typeof runs) => percentiles(some.map((run) => run.ended - run.accepted));
  return {
    fault,
    accepted: runs.length,
    ended: runs.filter(({ ended }) => ended !== undefined).length,
    before: took(runs.filter((run) => run.ended <= began)),
    during: took(runs.filter((run) => run.ended > began && run.accepted < over)),
    after: took(runs.filter((run) => run.accepted >= over)),
    silenceMs: Math.max(
      ...users.map((user) =>
        longestGap(
          user.heardAtMs.filter((atMs) => atMs > began),
          began,
        ),
      ),
    ),
    wentOnMs: Math.max(
      0,
      ...runs.filter((run) => run.accepted < began && run.ended > began).map((run) => run.ended - began),
    ),
  };
}

/** Of a table in Markdown. */
export function headOf(): string {
  const names = [
    'fault',
    'accepted = ended',
    'before',
    'during',
    'after',
    'longest silence',
    'runs under way had ended',
  ];
  return `| ${names.join(' | ')} |\n|${' --- |'.repeat(names.length)}`;
}

export function lineOf(figures: Figures): string {
  const { fault, accepted, before, during, after, silenceMs, wentOnMs } = figures;
  return `| ${[fault, accepted, ...[before, during, after].map(shown), seconds(silenceMs), seconds(wentOnMs)].join(' | ')} |`;
}

function percentiles(values: readonly number[]): Percentiles {
  if (values.length === 0) return undefined;
  const sorted = values.toSorted((a, b) => a - b);
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]!;
  return { p50: at(0.5), p99: at(0.99) };
}

function longestGap(times: readonly number[], from: number): number {
  let [last, longest] = [from, 0];
  for (const atMs of times) {
    longest = Math.max(longest, atMs - last);
    last = atMs;
  }
  return longest;
}

const shown = (some: Percentiles) => (some ? `${Math.round(some.p50)} / ${Math.round(some.p99)} ms` : '–');
const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;
