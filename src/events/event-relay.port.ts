import type { UserId } from '../shared/ids.js';
import type { JournalledEvent } from './run-event.js';

export const EVENT_RELAY = Symbol('EVENT_RELAY');

/** Whoever is told of what other nodes have committed. */
export interface RelayReceiver {
  /** Events of one user from another node: in any order, late, twice, or not at all. */
  arrived(userId: UserId, events: readonly JournalledEvent[]): void;
  /** The journal has this user's events up to `seq`, and not all of them will arrive. */
  committed(userId: UserId, seq: number): void;
  /** Something of a followed user may not have arrived: the journal knows. */
  doubtful(userId: UserId): void;
}

/**
 * Brings committed events to the other nodes at which their user is listened for. It is fast, and may lose anything: the
 * journal has it all, and the relay says when somebody has to look there.
 */
export interface EventRelay {
  /** Registers who is told; once. */
  open(receiver: RelayReceiver): void;
  /** Tells the other nodes what this one has committed. Does not wait, and does not throw. */
  publish(events: readonly JournalledEvent[]): void;
  /** Others' events of this user come from now on, after one `doubtful`. */
  follow(userId: UserId): void;
  unfollow(userId: UserId): void;
}
