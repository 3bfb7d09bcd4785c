import type { EventJournal, EventPage } from '../../src/events/event-journal.port.js';
import type { JournalledEvent } from '../../src/events/run-event.js';
import { newId, type RunId, type UserId } from '../../src/shared/ids.js';

/** Turns of the event loop until a read sees the table, and from there to its answer. */
export type ReadDelay = () => readonly [look: number, answer: number];

/**
 * The reading half of a journal, in memory. Writing is `commit`. A read takes some turns of the event loop, so that events
 * are committed before, in the middle of and after it.
 */
export class MemoryJournal implements Pick<EventJournal, 'read' | 'bounds' | 'onCommitted'> {
  /** Set it to make the next reads fail. */
  failure: Error | undefined;
  reads = 0;
  private readonly events = new Map<UserId, JournalledEvent[]>();
  private readonly pruned = new Map<UserId, number>();
  private readonly listeners: ((events: readonly JournalledEvent[]) => void)[] = [];

  constructor(private readonly delay: ReadDelay = () => [0, 1]) {}

  /** Adds events and hands them to the bus, as one commit. */
  commit(userId: string, count: number, thoughtLength = 10): void {
    const events = this.append(userId, count, thoughtLength);
    for (const listener of this.listeners) listener(events);
  }

  /** Adds events that the bus does not bring, as another node's may be. */
  append(userId: string, count: number, thoughtLength = 10): JournalledEvent[] {
    const own = this.events.get(userId as UserId) ?? [];
    this.events.set(userId as UserId, own);
    const added = Array.from({ length: count }, (_, i) => eventOf(userId as UserId, own.length + 1 + i, thoughtLength));
    own.push(...added);
    return added;
  }

  prune(userId: string, upTo: number): void {
    this.pruned.set(userId as UserId, upTo);
  }

  last(userId: string): number {
    return this.events.get(userId as UserId)?.length ?? 0;
  }

  async read(userId: UserId, query: { after: number; limit: number; runId?: RunId }): Promise<EventPage> {
    this.reads += 1;
    const [look, answer] = this.delay();
    await turns(look);
    if (this.failure) throw this.failure;
    const kept = (this.events.get(userId) ?? []).slice(Math.max(query.after, this.pruned.get(userId) ?? 0));
    const items = kept.slice(0, query.limit);
    await turns(answer);
    return { items, next: items.at(-1)?.seq ?? query.after };
  }

  async bounds(userId: UserId): Promise<{ pruned: number; last: number }> {
    const [look, answer] = this.delay();
    await turns(look);
    if (this.failure) throw this.failure;
    const bounds = { pruned: this.pruned.get(userId) ?? 0, last: this.last(userId) };
    await turns(answer);
    return bounds;
  }

  onCommitted(listener: (events: readonly JournalledEvent[]) => void): void {
    this.listeners.push(listener);
  }
}

const RUN_ID = newId('run');

function eventOf(userId: UserId, seq: number, thoughtLength: number): JournalledEvent {
  const data = { thought: `${userId} ${seq} `.padEnd(thoughtLength, '.') };
  const facts = { runId: RUN_ID, threadId: 'thr', agent: 'test', attempt: 1, at: new Date(0).toISOString() };
  const json = JSON.stringify({ v: 1, id: newId('evt'), type: 'agent_thinking', seq, runSeq: seq, ...facts, data });
  return { userId, runId: RUN_ID, type: 'agent_thinking', seq, json };
}

export async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}
