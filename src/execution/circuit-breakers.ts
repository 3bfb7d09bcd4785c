import { Inject, Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { AgentDefinition } from '../agents/agent-definition.js';
import { CLOCK, type Clock } from '../shared/clock.js';
import { CarrelError } from '../shared/errors.js';
import type { UserId } from '../shared/ids.js';

/** Agents that fail are few; of more than these, those that failed longest ago count as sound again. */
const MAX_BREAKERS = 10_000;
/** Failures that are further apart than this are no series. */
const IDLE_MS = 60 * 60 * 1_000;
/** When to ask again while another attempt tries the agent out. */
const TRIAL_MS = 1_000;

/** The leave to begin one attempt. Its first verdict counts; one that is disposed of without any says nothing. */
export interface CircuitPass extends Disposable {
  succeeded(): void;
  /** Only a retryable failure counts: bad input or a `TerminalError` says nothing about the agent's health. */
  failed(error: { readonly retryable: boolean }): void;
}

type BreakerOptions = NonNullable<AgentDefinition['breaker']>;

/** What is kept of an agent that has failed. Immutable: what happens next replaces it. */
interface Breaker {
  readonly failures: number;
  /** Once it has been open: when it opens for a trial. */
  readonly openUntilMs?: number;
  /** The one attempt that is let through then. */
  readonly trial?: CircuitPass;
}

const CLOSED: Breaker = { failures: 0 };
const NO_BREAKER: CircuitPass = { succeeded() {}, failed() {}, [Symbol.dispose]() {} };

/**
 * Leaves an agent that declares a `breaker` alone for a while when it has failed too often in a row for a user. Each user has
 * breakers of their own, per process: one user's failures never close an agent to another. Only what failed is kept.
 */
@Injectable()
export class CircuitBreakers {
  private readonly breakers: LRUCache<string, Breaker>;

  constructor(@Inject(CLOCK) private readonly clock: Clock) {
    this.breakers = new LRUCache({ max: MAX_BREAKERS, ttl: IDLE_MS, ttlResolution: 0, perf: clock });
  }

  /** Breakers that have counted a failure and no success since. */
  get size(): number {
    return this.breakers.size;
  }

  /** Those of them that let nothing through now. */
  get openCount(): number {
    const now = this.clock.now();
    return [...this.breakers.values()].filter(({ openUntilMs = 0 }) => openUntilMs > now).length;
  }

  /**
   * Asks whether this user's attempt may begin. Say how it ended on the pass, and dispose of the pass (`using`) whichever way
   * it ends: a cancelled or suspended attempt leaves no verdict.
   *
   * @throws CarrelError `circuit_open`, with `retryAfterMs`
   */
  enter(userId: UserId, { name, breaker: options }: Pick<AgentDefinition, 'name' | 'breaker'>): CircuitPass {
    if (!options) return NO_BREAKER;
    const key = `${userId}\n${name}`;
    const breaker = this.breakers.get(key) ?? CLOSED;
    const waitMs = breaker.trial ? TRIAL_MS : (breaker.openUntilMs ?? 0) - this.clock.now();
    if (waitMs > 0) throw refusal(name, waitMs);
    const pass = this.pass(key, options);
    if (breaker.openUntilMs !== undefined) this.keep(key, options, { ...breaker, trial: pass });
    return pass;
  }

  private pass(key: string, options: BreakerOptions): CircuitPass {
    let over = false;
    const verdict = (change: (breaker: Breaker) => Breaker) => {
      if (over) return;
      over = true;
      // looked up again, for other attempts have had their verdicts meanwhile
      const breaker = this.breakers.get(key) ?? CLOSED;
      const isTrial = breaker.trial === pass;
      // an attempt from before it opened says nothing that is not known
      if (breaker.openUntilMs === undefined || isTrial)
        this.keep(key, options, change({ ...breaker, trial: undefined }));
    };
    const pass: CircuitPass = {
      succeeded: () => verdict(() => CLOSED),
      failed: ({ retryable }) => verdict((breaker) => (retryable ? this.afterFailure(breaker, options) : breaker)),
      [Symbol.dispose]: () => verdict((breaker) => breaker),
    };
    return pass;
  }

  private afterFailure({ failures, openUntilMs }: Breaker, options: BreakerOptions): Breaker {
    const opens = openUntilMs !== undefined || failures + 1 >= options.failures;
    return { failures: failures + 1, openUntilMs: opens ? this.clock.now() + options.resetMs : undefined };
  }

  private keep(key: string, { resetMs }: BreakerOptions, breaker: Breaker): void {
    if (breaker.failures === 0) this.breakers.delete(key);
    else this.breakers.set(key, breaker, { ttl: IDLE_MS + resetMs });
  }
}

function refusal(agent: string, retryAfterMs: number): CarrelError {
  return new CarrelError(
    'circuit_open',
    `The agent "${agent}" has failed too often in a row for you and is left alone for a while; try again in ${Math.ceil(retryAfterMs / 1_000)} s`,
    { retryAfterMs },
  );
}
