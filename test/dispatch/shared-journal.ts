import type { EventPage } from '../../src/events/event-journal.port.js';
import type { JournalledEvent } from '../../src/events/run-event.js';
import { newId, type RunId, type UserId } from '../../src/shared/ids.js';

/** One journal, in memory, that several nodes commit to. Each of them is told of its own commits only, as by a database. */
export class SharedJournal {
  private readonly events = new Map<UserId, JournalledEvent[]>();

  last(userId: UserId): number {
    return this.events.get(userId)?.length ?? 0;
  }

  node() {
    const listeners: ((events: readonly JournalledEvent[]) => void)[] = [];
    return {
      onCommitted: (listener: (events: readonly JournalledEvent[]) => void) => void listeners.push(listener),
      bounds: async (userId: UserId) => ({ pruned: 0, last: this.last(userId) }),
      read: async (userId: UserId, { after, limit, runId }: { after: number; limit: number; runId?: RunId }) =>
        this.read(userId, after, limit, runId),
      commit: (userId: UserId, count: number, runId: RunId = newId('run')) => {
        const added = Array.from({ length: count }, () => this.add(userId, runId));
        for (const listener of listeners) listener(added);
      },
    };
  }

  private read(userId: UserId, after: number, limit: number, runId: RunId | undefined): EventPage {
    const own = (this.events.get(userId) ?? []).filter((event) => !runId || event.runId === runId);
    const items = own.filter(({ seq }) => seq > after).slice(0, limit);
    return { items, next: items.at(-1)?.seq ?? after };
  }

  private add(userId: UserId, runId: RunId): JournalledEvent {
    const own = this.events.get(userId) ?? [];
    this.events.set(userId, own);
    const seq = own.length + 1;
    const json = JSON.stringify({ v: 1, seq, runSeq: 1, runId, data: { thought: 'two\nlines' } });
    const event: JournalledEvent = { userId, runId, type: 'agent_thinking', seq, json };
    own.push(event);
    return event;
  }
}
