import type { Clock } from '../shared/clock.js';
import type { StopReason } from './stop-reason.js';

export interface AttemptLimits {
  /** Moment, in milliseconds since the Unix epoch. */
  runDeadlineMs: number;
  /** Durations in milliseconds. */
  runTimeoutMs: number;
  attemptTimeoutMs: number;
  noProgressMs: number;
}

type TimeOut = Extract<StopReason, { kind: 'timed_out' }>;

export interface WatchedAttempt {
  /** While others are at work for it who are watched themselves, it need not show that it lives. */
  isBusy(): boolean;
  stop(reason: TimeOut): void;
}

/** Watches one attempt's three limits with one timer, which is armed for whichever comes first. */
export class AttemptTimer {
  private readonly attemptEndMs: number;
  private lastProgressMs: number;
  private cancelTimer: () => void = () => undefined;

  constructor(
    private readonly clock: Clock,
    private readonly limits: AttemptLimits,
    private readonly watched: WatchedAttempt,
  ) {
    this.lastProgressMs = clock.now();
    this.attemptEndMs = this.lastProgressMs + limits.attemptTimeoutMs;
    this.arm();
  }

  /** The agent has done something. Costs no timer: the one that is armed looks again when it fires. */
  progress(): void {
    this.lastProgressMs = this.clock.now();
  }

  /**
   * The limit that has passed, if any. Asked at the attempt's end too: an agent that blocked the thread beyond its limit
   * comes back before the timer could fire.
   */
  passed(): TimeOut | undefined {
    const now = this.clock.now();
    const { runDeadlineMs, runTimeoutMs, attemptTimeoutMs } = this.limits;
    if (now >= runDeadlineMs) return { kind: 'timed_out', code: 'run_timed_out', limitMs: runTimeoutMs };
    if (now >= this.attemptEndMs) return { kind: 'timed_out', code: 'attempt_timed_out', limitMs: attemptTimeoutMs };
    return undefined;
  }

  stop(): void {
    this.cancelTimer();
  }

  private arm(): void {
    const due = Math.min(this.limits.runDeadlineMs, this.attemptEndMs, this.lastProgressMs + this.limits.noProgressMs);
    this.cancelTimer = this.clock.after(due - this.clock.now(), () => this.look());
  }

  private look(): void {
    const { noProgressMs } = this.limits;
    if (this.watched.isBusy()) this.progress();
    const dead = this.clock.now() >= this.lastProgressMs + noProgressMs;
    const reason: TimeOut | undefined =
      this.passed() ?? (dead ? { kind: 'timed_out', code: 'no_progress', limitMs: noProgressMs } : undefined);
    if (reason) this.watched.stop(reason);
    else this.arm();
  }
}
