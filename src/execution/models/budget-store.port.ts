import type { RunId, UserId } from '../../shared/ids.js';

export const BUDGET_STORE = Symbol('BUDGET_STORE');

/** Tokens, and millionths of a US dollar; both whole numbers. */
export interface Spend {
  readonly tokens: number;
  readonly microUsd: number;
}

export type BudgetScope = 'run' | 'day' | 'month';

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
  /** Spent and reserved by others. */
  readonly used: number;
}

export interface ReservationRequest {
  /** Known again when it is asked for twice: the path of the model call's step and its try. */
  readonly key: string;
  readonly runId: RunId;
  /** The most that the call is expected to cost. */
  readonly estimate: Spend;
  readonly limits: BudgetLimits;
  /** Milliseconds since the Unix epoch; says which day and month it counts for. */
  readonly atMs: number;
}

/**
 * What users spend on models. To look and to reserve are one transaction, so that calls side by side can't overspend by more
 * than what one of them was estimated wrongly. Every method takes the user first.
 */
export interface BudgetStore {
  /** @returns what stands against it, or what is used of each scope with this reservation in it */
  reserve(
    userId: UserId,
    request: ReservationRequest,
  ): Promise<{ ok: true; used: Readonly<Record<BudgetScope, Spent>> } | { ok: false; excess: BudgetExcess }>;

  /** The call has ended: what it has cost takes the place of the reservation. Does nothing the second time. */
  settle(userId: UserId, runId: RunId, key: string, actual: Spend): Promise<void>;

  /** A user's day and month now, and reservations under way. */
  used(userId: UserId, atMs: number): Promise<Readonly<Record<'day' | 'month', Spent>>>;

  /**
   * Reservations of calls that a process has left behind when it died, made before this moment, count as spent: nobody can know
   * whether the provider was asked.
   *
   * @returns how many there were
   */
  settleAbandoned(beforeMs: number): Promise<number>;
}
