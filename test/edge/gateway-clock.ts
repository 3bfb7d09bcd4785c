import type { Clock } from '../../src/shared/clock.js';

/** A clock that the test moves. */
export class MovableClock implements Clock {
  private nowMs = Date.UTC(2026, 0, 1);
  private readonly timers = new Set<{ atMs: number; callback: () => void }>();

  now(): number {
    return this.nowMs;
  }

  /** Fires at the latest after 31 bits of milliseconds, as the real one does. */
  after(delayMs: number, callback: () => void): () => void {
    const timer = { atMs: this.nowMs + Math.min(Math.max(delayMs, 0), 2 ** 31 - 1), callback };
    this.timers.add(timer);
    return () => this.timers.delete(timer);
  }

  advance(byMs: number): void {
    this.nowMs += byMs;
    for (const timer of this.timers) {
      if (timer.atMs > this.nowMs) continue;
      this.timers.delete(timer);
      timer.callback();
    }
  }

  /** Moves on without any timer firing, as when the process was busy. */
  advanceSilently(byMs: number): void {
    this.nowMs += byMs;
  }
}
