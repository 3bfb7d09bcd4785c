import type { EventBus } from '../events/event-bus.js';
import type { JournalledEvent } from '../events/run-event.js';
import type { UserId } from '../shared/ids.js';

/** Emits to the sockets that are in a user's room on this node. */
export interface UserRoom {
  emit(event: JournalledEvent): void;
}

/** A socket that is in the room. */
export interface FeedMember {
  /** The room has been sent this event. */
  delivered(event: JournalledEvent): void;
  /** The room will not get what comes after `seq`: leave, and read it from the journal. */
  fallBack(seq: number): void;
}

/**
 * The live events of one user with sockets on this node, emitted to the user's room once for all of them, strictly in the
 * order of `seq`. Whatever the bus does not bring in order is left to the journal: the members leave the room at the last
 * event that it was sent, and join again when they have read up to where the feed is.
 */
export class UserFeed {
  private readonly members = new Set<FeedMember>();
  private lastSeq = 0;
  private readonly unsubscribe: () => void;

  constructor(
    userId: UserId,
    bus: EventBus,
    private readonly room: UserRoom,
  ) {
    this.unsubscribe = bus.subscribe(
      userId,
      (event) => this.arrived(event),
      (seq) => this.advanceTo(seq),
    );
  }

  /** Everything up to this `seq` was sent to the room or is in the journal; what comes after it will be sent to the room. */
  get last(): number {
    return this.lastSeq;
  }

  /** Takes a member that has everything up to `last`. It must be in the room. */
  join(member: FeedMember): void {
    this.members.add(member);
  }

  leave(member: FeedMember): void {
    this.members.delete(member);
  }

  /** The journal has events up to `seq`: the feed goes on after it. */
  advanceTo(seq: number): void {
    if (seq <= this.lastSeq) return;
    const sent = this.lastSeq;
    this.lastSeq = seq;
    for (const member of this.members) member.fallBack(sent);
  }

  close(): void {
    this.unsubscribe();
  }

  private arrived(event: JournalledEvent): void {
    if (event.seq !== this.lastSeq + 1) return this.advanceTo(event.seq);
    this.lastSeq = event.seq;
    if (this.members.size === 0) return;
    this.room.emit(event);
    for (const member of this.members) member.delivered(event);
  }
}
