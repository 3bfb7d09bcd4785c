import { Inject, Injectable, Logger, Optional } from '@nestjs/common';
import { CLOCK, systemClock, type Clock } from '../shared/clock.js';
import type { UserId } from '../shared/ids.js';
import { runInLogScope } from '../shared/log-scope.js';
import { EVENT_JOURNAL, type EventJournal } from './event-journal.port.js';
import { EVENT_RELAY, type EventRelay } from './event-relay.port.js';
import type { LineEnds } from './event-line.js';
import { RelayedEvents } from './relayed-events.js';
import type { JournalledEvent } from './run-event.js';

/** Called with one user's events in the order of `seq`. Must not wait; what it throws is logged. */
export type EventListener = (event: JournalledEvent) => void;
/**
 * Called when the journal may have events up to `seq` that the listener is not told of: it must look there. Only what comes
 * from other nodes can be missed. Must not wait; what it throws is logged.
 */
export type BehindListener = (seq: number) => void;

interface Subscription {
  readonly listener: EventListener;
  readonly behind: BehindListener;
}

/**
 * Journal first, deliver second: hands every committed event to those who listen for its user, and to nobody else. With a
 * relay those of other nodes, too.
 */
@Injectable()
export class EventBus {
  private readonly logger = new Logger(EventBus.name);
  private readonly listeners = new Map<UserId, Set<Subscription>>();
  private readonly observers: ((events: readonly JournalledEvent[]) => void)[] = [];
  private readonly relayed: RelayedEvents | undefined;

  constructor(
    @Inject(EVENT_JOURNAL) journal: EventJournal,
    @Optional() @Inject(EVENT_RELAY) relay?: EventRelay,
    @Optional() @Inject(CLOCK) clock: Clock = systemClock,
  ) {
    this.relayed = relay && new RelayedEvents(relay, journal, clock, (userId) => this.endsFor(userId));
    // a commit carries the ids of whoever wrote first in it, which are not those of who listens
    journal.onCommitted((events) => runInLogScope({}, () => this.deliver(events)));
  }

  /** @returns ends the subscription */
  subscribe(userId: UserId, listener: EventListener, behind: BehindListener): () => void {
    const own = this.listeners.get(userId) ?? new Set();
    const subscription = { listener, behind };
    this.listeners.set(userId, own.add(subscription));
    if (own.size === 1) this.relayed?.follow(userId);
    return () => {
      if (!own.delete(subscription) || own.size > 0) return;
      this.listeners.delete(userId);
      this.relayed?.unfollow(userId);
    };
  }

  /** Calls back after each batch that was committed here, whoever it was for. Must not wait, nor throw. */
  onDelivered(observer: (events: readonly JournalledEvent[]) => void): void {
    this.observers.push(observer);
  }

  private deliver(events: readonly JournalledEvent[]): void {
    if (this.relayed) this.relayed.committedHere(events);
    else for (const event of events) this.pass(event);
    for (const observe of this.observers) observe(events);
  }

  private endsFor(userId: UserId): LineEnds {
    return { pass: (event) => this.pass(event), behind: (seq) => this.tellBehind(userId, seq) };
  }

  private pass(event: JournalledEvent): void {
    const own = this.listeners.get(event.userId);
    if (own) for (const { listener } of own) this.tell(listener, event);
  }

  private tell(listener: EventListener, event: JournalledEvent): void {
    try {
      listener(event);
    } catch (err) {
      const { userId, runId, seq } = event;
      this.logger.error({ err, userId, runId, seq }, 'a listener of events failed');
    }
  }

  private tellBehind(userId: UserId, seq: number): void {
    for (const { behind } of this.listeners.get(userId) ?? []) {
      try {
        behind(seq);
      } catch (err) {
        this.logger.error({ err, userId, seq }, 'a listener of events could not be sent to the journal');
      }
    }
  }
}
