import type { EventJournal, EventPage } from '../../src/events/event-journal.port.js';
import type { JournalledEvent } from '../../src/events/run-event.js';
import { newId, type RunId, type UserId } from '../../src/shared/ids.js';

interface PendingRead {
  /** Sees what is committed at this moment. */
  look(): void;
  /** Answers with what was seen. */
  answer(): void;
  looked: boolean;
}

/**
 * The reading half of a journal, in memory, whose reads happen in two steps that the test takes one by one: the
 * moment at which a read sees the table, and the moment at which its answer arrives. Writing is `commit`.
 */
export class StagedJournal implements Pick<EventJournal, 'read' | 'bounds' | 'onCommitted'> {
  readonly pending: PendingRead[] = [];
  readonly limits: number[] = [];
  private readonly events = new Map<UserId, JournalledEvent[]>();
  private readonly pruned = new Map<UserId, number>();
  private readonly runSeqs = new Map<RunId, number>();
  private readonly listeners: ((events: readonly JournalledEvent[]) => void)[] = [];

  commit(userId: UserId, runIds: readonly RunId[]): void {
    const own = this.events.get(userId) ?? [];
    this.events.set(userId, own);
    const added = runIds.map((runId) => this.add(userId, runId, own));
    for (const listener of this.listeners) listener(added);
  }

  /** Removes the user's oldest events, up to a `seq`. */
  prune(userId: UserId, upTo: number): void {
    this.pruned.set(userId, Math.max(upTo, this.pruned.get(userId) ?? 0));
  }

  read(userId: UserId, query: { after: number; limit: number; runId?: RunId }): Promise<EventPage> {
    this.limits.push(query.limit);
    const { promise, resolve } = Promise.withResolvers<EventPage>();
    let items: readonly JournalledEvent[] = [];
    const read: PendingRead = {
      looked: false,
      look: () => {
        read.looked = true;
        items = this.kept(userId)
          .filter((event) => event.seq > query.after && (!query.runId || event.runId === query.runId))
          .slice(0, query.limit);
      },
      answer: () => resolve({ items, next: items.at(-1)?.seq ?? query.after }),
    };
    this.pending.push(read);
    return promise;
  }

  bounds(userId: UserId): Promise<{ pruned: number; last: number }> {
    return Promise.resolve({ pruned: this.pruned.get(userId) ?? 0, last: this.events.get(userId)?.length ?? 0 });
  }

  onCommitted(listener: (events: readonly JournalledEvent[]) => void): void {
    this.listeners.push(listener);
  }

  /** Takes the next step of the oldest read; false when there is none. */
  step(): boolean {
    const [read] = this.pending;
    if (!read) return false;
    if (!read.looked) {
      read.look();
    } else {
      this.pending.shift();
      read.answer();
    }
    return true;
  }

  private kept(userId: UserId): JournalledEvent[] {
    return (this.events.get(userId) ?? []).filter((event) => event.seq > (this.pruned.get(userId) ?? 0));
  }

  private add(userId: UserId, runId: RunId, own: JournalledEvent[]): JournalledEvent {
    const runSeq = (this.runSeqs.get(runId) ?? 0) + 1;
    this.runSeqs.set(runId, runSeq);
    const seq = own.length + 1;
    const json = JSON.stringify({ v: 1, id: newId('evt'), type: 'agent_thinking', seq, runSeq, runId });
    const event: JournalledEvent = { userId, runId, type: 'agent_thinking', seq, json };
    own.push(event);
    return event;
  }
}
