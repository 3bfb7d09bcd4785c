import type { LaneLimits, RunRef } from '../execution/run-store.port.js';
import { CarrelError } from '../shared/errors.js';
import type { LiveRun } from './run-row.js';
import type { RunTable } from './run-table.js';
import { WINDOW_MS, type UserState } from './user-table.js';

const MAX_RETRY_AFTER_MS = 60_000;

/** True while starts are counted in the user's window. A clock that was set back ends it, or it could last for long. */
export function isWindowOpen(user: UserState, nowMs: number): boolean {
  return user.starts > 0 && nowMs >= user.windowStartMs && nowMs < user.windowStartMs + WINDOW_MS;
}

/**
 * Whether a new run of this user is admitted (true) or waits (false). Nobody overtakes those who wait already.
 *
 * @throws CarrelError `rate_limited` | `queue_full`
 */
export function decidePlace(user: UserState, limits: LaneLimits, nowMs: number): boolean {
  const window = isWindowOpen(user, nowMs) ? user : { starts: 0, windowStartMs: nowMs };
  if (window.starts >= limits.startsPerMinute) {
    const retryAfterMs = window.windowStartMs + WINDOW_MS - nowMs;
    const text = `at most ${limits.startsPerMinute} runs can be started per minute; try again in ${Math.ceil(retryAfterMs / 1_000)} s`;
    throw new CarrelError('rate_limited', text, { retryAfterMs });
  }
  if (user.waiting === 0 && user.admitted < limits.maxRunning) return true;
  if (user.waiting < limits.maxQueued) return false;
  // nobody knows how long runs take: a second for every round of runs that must end first
  const rounds = Math.ceil((user.waiting + 1) / Math.max(limits.maxRunning, 1));
  const text = `${user.waiting} of your runs are waiting already, and at most ${limits.maxQueued} may: wait for one to end, or cancel one`;
  throw new CarrelError('queue_full', text, {
    retryAfterMs: Math.min(rounds * 1_000, MAX_RETRY_AFTER_MS),
  });
}

/** Counts a start and its place. */
export function takePlace(user: UserState, admitted: boolean, nowMs: number): void {
  if (!isWindowOpen(user, nowMs)) {
    user.windowStartMs = nowMs;
    user.starts = 0;
  }
  user.starts += 1;
  if (admitted) user.admitted += 1;
  else user.waiting += 1;
}

/** Gives back the place that a run held which has just ended, and admits who waits, the oldest first, while there is room. */
export function releasePlace(user: UserState, ended: LiveRun, limits: LaneLimits, runs: RunTable): RunRef[] {
  if (ended.admitted) user.admitted -= 1;
  else if (ended.status === 'queued') user.waiting -= 1;
  const admitted: RunRef[] = [];
  while (user.waiting > 0 && user.admitted < limits.maxRunning) {
    const next = runs.firstWaiting(user);
    if (!next) throw new Error(`the lane of a user counts ${user.waiting} waiting runs, but there are none`);
    runs.admit(user, next);
    user.waiting -= 1;
    user.admitted += 1;
    admitted.push({ userId: user.id, runId: next.id });
  }
  return admitted;
}
