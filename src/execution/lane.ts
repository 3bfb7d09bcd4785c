/** A user's share. */
export interface LaneLimits {
  /** K: how many of the user's runs may be admitted at once. */
  maxRunning: number;
  /** Q: how many more may wait. */
  maxQueued: number;
  /** Starts in a fixed window of one minute. */
  startsPerMinute: number;
  /** How many may be suspended; one more fails instead. */
  maxSuspended: number;
}

export interface LaneState {
  /** Admitted and not ended, whether they have a slot yet or not. */
  running: number;
  /** Waiting, those included that are held for their thread or their time. */
  queued: number;
  suspended: number;
  /** Starts counted in the current window, and when it ends; both 0 while no window is open. */
  starts: number;
  windowEndsAtMs: number;
}
