import type { Usage } from '../events/run-error.js';
import type { UserId } from '../shared/ids.js';
import type { TerminalStatus } from './run-status.js';

export const USAGE_STORE = Symbol('USAGE_STORE');

export const DAY_MS = 24 * 60 * 60 * 1_000;

/** Days that are kept of each user; when a new one begins, those before are removed. */
export const USAGE_DAYS = 400;

/** Milliseconds. */
interface Durations {
  sum: number;
  max: number;
}

/** What became of a number of runs that have ended. */
export interface UsageFigures {
  runs: Record<TerminalStatus, number>;
  /** From the submission of a run to its first start, or to its end if it never started. */
  waitedMs: Durations;
  /** From its first start to its end: attempts, pauses between them and interruptions included. */
  ranMs: Durations;
  /** What the agents say they used, by name. */
  usage: Usage;
}

/** What ended and what was spent on one UTC day. */
export interface UsageDay {
  /** Numbered from the Unix epoch. */
  day: number;
  /** Runs that ended. */
  runs: number;
  /** From their first starts to their ends, summed: milliseconds. */
  ranMs: number;
  /** What calls of language models have taken. */
  tokens: number;
  /** Likewise, in millionths of a US dollar. */
  microUsd: number;
}

/** A user's runs by agent and day, counted in the transaction that ends each: whatever is deleted later, this stays. */
export interface UsageStore {
  /** Of the runs that ended on the UTC days from `first` to `last`, which are numbered from the Unix epoch. By agent, sorted. */
  byAgent(userId: UserId, days: { first: number; last: number }): Promise<ReadonlyMap<string, UsageFigures>>;

  /** The same days, all agents together, the earliest first; without those on which nothing ended and nothing was spent. */
  byDay(userId: UserId, days: { first: number; last: number }): Promise<readonly UsageDay[]>;
}
