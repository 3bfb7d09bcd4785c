import type { LaneLimits } from '../execution/lane.js';
import type { RunHold, RunRef } from '../execution/run-store.port.js';
import { CarrelError } from '../shared/errors.js';
import { WINDOW_MS, type RunsOfDecisions, type UserState } from './decision-tables.js';
import type { LiveRun } from './run-row.js';
import { count, leaveThread } from './run-standing.js';

const MAX_RETRY_AFTER_MS = 60_000;

/** True while starts are counted in the user's window. A clock that was set back ends it, or it could last for long. */
export function isWindowOpen(user: UserState, nowMs: number): boolean {
  return user.starts > 0 && nowMs >= user.windowStartMs && nowMs < user.windowStartMs + WINDOW_MS;
}

/** What is about to go when a new run interrupts its thread. */
export interface Leaving {
  admitted: number;
  waiting: number;
  held: number;
}

/**
 * Whether a new run of this user is admitted (true) or waits (false). Nobody overtakes those who wait already, except that
 * a run may take the very place of one that it interrupts.
 *
 * @throws CarrelError `rate_limited` | `queue_full`
 */
export function decidePlace(
  user: UserState,
  limits: LaneLimits,
  nowMs: number,
  { hold, leaving }: { hold: RunHold | undefined; leaving: Leaving },
): boolean {
  const window = isWindowOpen(user, nowMs) ? user : { starts: 0, windowStartMs: nowMs };
  if (window.starts >= limits.startsPerMinute) {
    const retryAfterMs = window.windowStartMs + WINDOW_MS - nowMs;
    const text = `at most ${limits.startsPerMinute} runs can be started per minute; try again in ${Math.ceil(retryAfterMs / 1_000)} s`;
    throw new CarrelError('rate_limited', text, { retryAfterMs });
  }
  const waiting = user.waiting.size - leaving.waiting;
  const hasRoom = user.admitted - leaving.admitted < limits.maxRunning;
  if (hold === undefined && hasRoom && (waiting === 0 || leaving.admitted > 0)) return true;
  const queued = waiting + user.held - leaving.held;
  if (queued < limits.maxQueued) return false;
  // nobody knows how long runs take: a second for every round of runs that must end first
  const rounds = Math.ceil((queued + 1) / Math.max(limits.maxRunning, 1));
  const text = `${queued} of your runs are waiting already, and at most ${limits.maxQueued} may: wait for one to end, or cancel one`;
  throw new CarrelError('queue_full', text, {
    retryAfterMs: Math.min(rounds * 1_000, MAX_RETRY_AFTER_MS),
  });
}

/** Counts a start in the user's window. */
export function countStart(user: UserState, nowMs: number): void {
  if (!isWindowOpen(user, nowMs)) {
    user.windowStartMs = nowMs;
    user.starts = 0;
  }
  user.starts += 1;
}

/** Takes a run out that has just ended, and lets its thread's next one into the lane. `ended` is as it was before. */
export function leaveLane(user: UserState, ended: LiveRun, runs: RunsOfDecisions): void {
  count(user, ended, -1);
  const next = leaveThread(user, ended);
  const run = next === undefined ? undefined : runs.findLive(user, next);
  if (run?.hold === 'thread') runs.move(user, run, { hold: undefined });
}

/** Admits who waits, those of the highest priority first and of them the oldest, while there is room. */
export function admitNext(user: UserState, limits: LaneLimits, runs: RunsOfDecisions): RunRef[] {
  const admitted: RunRef[] = [];
  while (user.waiting.size > 0 && user.admitted < limits.maxRunning) {
    const next = user.waiting.first && runs.findLive(user, user.waiting.first);
    if (!next)
      throw new Error(`the lane of a user counts ${user.waiting.size} waiting runs, but the first one is not there`);
    runs.admit(user, next);
    admitted.push({ userId: user.id, runId: next.id });
  }
  return admitted;
}
