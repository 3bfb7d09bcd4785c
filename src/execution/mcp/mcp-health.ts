import { LRUCache } from 'lru-cache';
import type { Clock } from '../../shared/clock.js';
import { CarrelError } from '../../shared/errors.js';
import { backoffMs } from '../backoff.js';

/** Of more than these, those that failed longest ago count as sound again. */
const MAX_REMEMBERED = 10_000;
const IDLE_MS = 60 * 60 * 1_000;
/** Before the second try; doubled, with jitter, before each further one. */
const BASE_MS = 500;
/** So many failures in a row, and it is left alone for longer. */
const BREAKS_AFTER = 5;
const BROKEN_MS = 60_000;

/** A server that has failed for a user, and did nothing well since. */
export interface Illness {
  readonly failures: number;
  readonly reason: CarrelError;
  readonly sinceMs: number;
  /** It is not tried again before. */
  readonly retryAtMs: number;
  /** It has failed too often in a row. */
  readonly isBroken: boolean;
}

/** Remembers which server has failed for which user, and leaves it alone for a while. Keys begin with the user. */
export class McpHealth {
  private readonly ill: LRUCache<string, Illness>;

  constructor(private readonly clock: Clock) {
    this.ill = new LRUCache({ max: MAX_REMEMBERED, ttl: IDLE_MS, ttlResolution: 0, perf: clock });
  }

  find(key: string): Illness | undefined {
    return this.ill.get(key);
  }

  /** How long it is to be left alone from now; 0 when it may be tried. */
  waitMs(key: string): number {
    return Math.max(0, (this.ill.get(key)?.retryAtMs ?? 0) - this.clock.now());
  }

  failed(key: string, reason: CarrelError): void {
    const failures = (this.ill.get(key)?.failures ?? 0) + 1;
    const sinceMs = this.clock.now();
    const isBroken = failures >= BREAKS_AFTER;
    const waitMs = isBroken ? BROKEN_MS : backoffMs(BASE_MS, failures);
    // nothing was tried when a value of the user's is not there: it costs nothing to look again
    const retryAtMs = reason.retryable ? sinceMs + waitMs : sinceMs;
    this.ill.set(key, { failures, reason, sinceMs, retryAtMs, isBroken });
  }

  succeeded(key: string): void {
    this.ill.delete(key);
  }
}
