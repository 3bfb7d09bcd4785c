import { Logger } from '@nestjs/common';
import type { Clock } from '../shared/clock.js';
import type { UserId } from '../shared/ids.js';
import { runInLogScope } from '../shared/log-scope.js';
import { EventLine, type LineEnds } from './event-line.js';
import type { EventJournal } from './event-journal.port.js';
import type { EventRelay, RelayReceiver } from './event-relay.port.js';
import type { JournalledEvent } from './run-event.js';

/** Looks into the journal at once: many thousand users may be in doubt when Redis comes back. */
const LOOKS_AT_ONCE = 4;
const LOOK_AGAIN_MS = 1_000;

/** Puts this node's events and the others' in order, for the users that somebody listens for here. */
export class RelayedEvents implements RelayReceiver {
  private readonly logger = new Logger('EventRelay');
  private readonly lines = new Map<UserId, EventLine>();
  private readonly doubts = new Set<UserId>();
  private looking = 0;

  constructor(
    private readonly relay: EventRelay,
    private readonly journal: Pick<EventJournal, 'bounds'>,
    private readonly clock: Clock,
    private readonly endsFor: (userId: UserId) => LineEnds,
  ) {
    relay.open(this);
  }

  follow(userId: UserId): void {
    this.lines.set(userId, new EventLine(this.endsFor(userId), this.clock));
    this.relay.follow(userId);
  }

  unfollow(userId: UserId): void {
    this.lines.get(userId)?.close();
    this.lines.delete(userId);
    this.doubts.delete(userId);
    this.relay.unfollow(userId);
  }

  /** What this node has committed. */
  committedHere(events: readonly JournalledEvent[]): void {
    this.relay.publish(events);
    for (const event of events) this.lines.get(event.userId)?.take(event);
  }

  arrived(userId: UserId, events: readonly JournalledEvent[]): void {
    const line = this.lines.get(userId);
    if (line) runInLogScope({}, () => events.forEach((event) => line.take(event)));
  }

  committed(userId: UserId, seq: number): void {
    runInLogScope({}, () => this.lines.get(userId)?.journalHas(seq));
  }

  doubtful(userId: UserId): void {
    if (!this.lines.has(userId)) return;
    this.doubts.add(userId);
    if (this.looking < LOOKS_AT_ONCE) void this.lookThrough();
  }

  private async lookThrough(): Promise<void> {
    this.looking += 1;
    for (const userId of this.doubts) {
      this.doubts.delete(userId);
      await this.look(userId);
    }
    this.looking -= 1;
  }

  /** Only what is committed after the doubt arose may be missed by the look: whoever is followed anew is another line. */
  private async look(userId: UserId): Promise<void> {
    const line = this.lines.get(userId);
    if (!line) return;
    try {
      const { last } = await this.journal.bounds(userId);
      if (this.lines.get(userId) === line) runInLogScope({}, () => line.journalHas(last));
    } catch (err) {
      this.logger.warn({ err, userId }, 'the journal can not say which events there are; it is asked again');
      this.clock.after(LOOK_AGAIN_MS, () => this.doubtful(userId));
    }
  }
}
