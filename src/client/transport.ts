/** What carries live events to the feed, and goes on where the feed is when the connection was lost. */
export interface Transport {
  close(): void;
}

/** Between one try to connect and the next. */
export const FIRST_PAUSE_MS = 250;
export const LONGEST_PAUSE_MS = 5_000;

/** The same for all who were cut off together would be a flood: up to half of it is left to chance. */
export function pauseMs(tries: number): number {
  return Math.min(FIRST_PAUSE_MS * 2 ** tries, LONGEST_PAUSE_MS) * (0.5 + Math.random() / 2);
}
