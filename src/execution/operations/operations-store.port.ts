import type { AuditId, RunId, UserId } from '../../shared/ids.js';
import type { JsonObject } from '../../shared/json.js';
import type { RunRef } from '../run-store.port.js';
import type { RunStatus } from '../run-status.js';

export const OPERATIONS_STORE = Symbol('OPERATIONS_STORE');

/** What can be switched off: an agent or a pipeline by its name, or a user by their id. */
export interface SwitchSubject {
  readonly kind: 'agent' | 'user';
  readonly name: string;
}

/** A subject that is switched off, and why. */
export interface KillSwitch extends SwitchSubject {
  readonly reason: string;
  /** The operator. */
  readonly by: UserId;
  readonly atMs: number;
}

/** What operators do that is written down: what changes something, and what looks at somebody's own. */
export type AuditAction = 'switch_set' | 'switch_unset' | 'user_runs_viewed' | 'user_run_viewed';

export interface AuditEntry {
  readonly id: AuditId;
  readonly atMs: number;
  /** The operator. */
  readonly by: UserId;
  readonly action: AuditAction;
  /** Whom or what it was done to. */
  readonly subject: SwitchSubject;
  readonly details: JsonObject;
}

/** A user who has runs that hold a place in their lane, or wait for one. */
export interface BusyUser {
  readonly userId: UserId;
  /** Admitted and not ended, whether they have a slot yet or not. */
  readonly running: number;
  /** In line for a place; those that are held for their thread or their time are not counted. */
  readonly waiting: number;
}

/** What is in all lanes. */
export interface LaneLoad {
  /** Runs that hold a place. */
  readonly placed: number;
  /** Runs in line for a place. */
  readonly waiting: number;
  /** Of the runs that hold a place and that no process has taken yet: when the earliest was made. */
  readonly oldestUnclaimedMs?: number;
}

/** A run that holds a place, and the last that was heard of it. */
export interface QuietRun extends RunRef {
  readonly agent: string;
  readonly status: RunStatus;
  readonly attempt: number;
  /** When its last event was written, or else when it was made. */
  readonly lastSignMs: number;
}

/**
 * What operators set, did and ask. The only port whose questions are not about one user: the answers go to operators alone,
 * and what is somebody's own is asked of the other ports, with that user's id.
 */
export interface OperationsStore {
  /** All of them: they are few. */
  switches(): Promise<readonly KillSwitch[]>;

  /**
   * Switches off, or changes the reason; in one transaction with the entry.
   *
   * @param limit how many switches there may be
   * @throws CarrelError `too_many_switches`
   */
  setSwitch(killSwitch: KillSwitch, entry: AuditEntry, limit: number): Promise<void>;

  /**
   * Switches on again, in one transaction with the entry.
   *
   * @returns false when it was not switched off; nothing is written then
   */
  unsetSwitch(subject: SwitchSubject, entry: AuditEntry): Promise<boolean>;

  record(entry: AuditEntry): Promise<void>;

  /** Newest first. */
  audit(page: { limit: number; cursor?: string }): Promise<{ items: readonly AuditEntry[]; nextCursor?: string }>;

  /**
   * Removes entries that are older, at most `limit` of them.
   *
   * @returns how many were removed
   */
  pruneAudit(before: Date, limit: number): Promise<number>;

  /** All users together. */
  load(): Promise<LaneLoad>;

  /** Those with most waiting first, then those with most running. */
  busyUsers(page: { limit: number; cursor?: string }): Promise<{ items: readonly BusyUser[]; nextCursor?: string }>;

  /** Runs that hold a place and have given no sign since then: the quietest first. */
  quietRuns(sinceMs: number, limit: number): Promise<readonly QuietRun[]>;

  /** Runs of an agent or pipeline, of all users, that hold a place; the oldest first. */
  placedRunsOf(agent: string, after: RunId | undefined, limit: number): Promise<readonly RunRef[]>;
}
