import { Inject, Injectable, Logger } from '@nestjs/common';
import type { UserId } from '../shared/ids.js';
import { runInLogScope } from '../shared/log-scope.js';
import { EVENT_JOURNAL, type EventJournal } from './event-journal.port.js';
import type { JournalledEvent } from './run-event.js';

/** Called with one user's events in the order of `seq`. Must not wait; what it throws is logged. */
export type EventListener = (event: JournalledEvent) => void;

/** Journal first, deliver second: hands every committed event to those who listen for its user, and to nobody else. */
@Injectable()
export class EventBus {
  private readonly logger = new Logger(EventBus.name);
  private readonly listeners = new Map<UserId, Set<EventListener>>();
  private readonly observers: ((events: readonly JournalledEvent[]) => void)[] = [];

  constructor(@Inject(EVENT_JOURNAL) journal: EventJournal) {
    // a commit carries the ids of whoever wrote first in it, which are not those of who listens
    journal.onCommitted((events) => runInLogScope({}, () => this.deliver(events)));
  }

  /** @returns ends the subscription */
  subscribe(userId: UserId, listener: EventListener): () => void {
    const own = this.listeners.get(userId) ?? new Set();
    this.listeners.set(userId, own.add(listener));
    return () => {
      own.delete(listener);
      if (own.size === 0 && this.listeners.get(userId) === own) this.listeners.delete(userId);
    };
  }

  /** Calls back after each batch, whoever it was for. Must not wait, nor throw. */
  onDelivered(observer: (events: readonly JournalledEvent[]) => void): void {
    this.observers.push(observer);
  }

  private deliver(events: readonly JournalledEvent[]): void {
    for (const event of events) {
      const own = this.listeners.get(event.userId);
      if (own) for (const listener of own) this.tell(listener, event);
    }
    for (const observe of this.observers) observe(events);
  }

  private tell(listener: EventListener, event: JournalledEvent): void {
    try {
      listener(event);
    } catch (err) {
      const { userId, runId, seq } = event;
      this.logger.error({ err, userId, runId, seq }, 'a listener of events failed');
    }
  }
}
