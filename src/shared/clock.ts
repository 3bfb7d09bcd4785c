/** The only reader of the wall clock, so that a test can hold time still. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Runs `callback` once after `delayMs`; the returned function takes it back. The timer never keeps the process alive. */
  after(delayMs: number, callback: () => void): () => void;
}

export const CLOCK = Symbol('CLOCK');

/** `setTimeout` fires at once when the delay does not fit 31 bits, so longer delays are cut here. */
const MAX_DELAY_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, Math.min(Math.max(delayMs, 0), MAX_DELAY_MS));
    timer.unref();
    return () => clearTimeout(timer);
  },
};
