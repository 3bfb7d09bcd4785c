import type { RunId, UserId } from '../../shared/ids.js';

export const BUDGET_STORE = Symbol('BUDGET_STORE');

/** Tokens, and millionths of a US dollar; both whole numbers from 0. */
export interface Spend {
  readonly tokens: number;
  readonly microUsd: number;
}

/** In the order in which they are looked at. */
export const BUDGET_SCOPES = ['run', 'day', 'month'] as const;
export type BudgetScope = (typeof BUDGET_SCOPES)[number];

/** What may be spent in a scope; undefined: anything. */
export type BudgetLimits = Readonly<Partial<Record<BudgetScope, Partial<Spend>>>>;

/** What has been spent, and what is reserved by calls under way. */
export interface Spent {
  readonly spent: Spend;
  readonly reserved: Spend;
}

export interface BudgetExcess {
  readonly scope: BudgetScope;
  readonly unit: keyof Spend;
  readonly limit: number;
  /** Spent, and reserved by other calls. */
  readonly used: number;
}

export interface ReservationRequest {
  /** Known again when it is asked for twice: the path of the model call's step and its try. */
  readonly key: string;
  readonly runId: RunId;
  /** The most that the call is expected to cost. */
  readonly estimate: Spend;
  readonly limits: BudgetLimits;
  /** Milliseconds since the Unix epoch; says which UTC day and month it counts for, also when it is settled later. */
  readonly atMs: number;
}

/**
 * What users spend on models. To look and to reserve are one transaction, so that calls side by side can't overspend by more
 * than what one of them was estimated wrongly. Every method takes the user first; what others spend never counts.
 *
 * Days are kept as long as those of `UsageStore`. Whatever is deleted later, they stay as they are.
 */
export interface BudgetStore {
  /**
   * A reservation that is open already is not made again, and stands as it was made.
   *
   * @returns what stands against it; undefined: it is reserved
   * @throws CarrelError `run_closed` when the run is not under way, or another user's
   */
  reserve(userId: UserId, request: ReservationRequest): Promise<BudgetExcess | undefined>;

  /**
   * The call has ended: what it has cost takes the place of the reservation, also when its run has ended or is deleted.
   *
   * @param actual without it, what was reserved
   * @returns what is spent in each scope with this in it; undefined when there is no such reservation (any more)
   */
  settle(
    userId: UserId,
    runId: RunId,
    key: string,
    actual?: Spend,
  ): Promise<Readonly<Record<BudgetScope, Spend>> | undefined>;

  /** A user's day and month, as they are at this moment (milliseconds since the Unix epoch). */
  used(userId: UserId, atMs: number): Promise<Readonly<Record<'day' | 'month', Spent>>>;

  /**
   * Reservations of calls that a process has left behind when it died, made before this moment, count as spent: nobody can know
   * whether the provider was asked.
   *
   * @returns how many there were
   */
  settleAbandoned(beforeMs: number): Promise<number>;
}
