import type { CommitListener, EventJournal, EventPage, OpenToolCall } from '../../events/event-journal.port.js';
import type { EventDraft } from '../../events/run-event.js';
import type { Clock } from '../../shared/clock.js';
import type { RunId, UserId } from '../../shared/ids.js';
import { RunTransitions } from '../run-transitions.js';
import { pruneEvents, pruneKeys } from './event-pruner.js';
import { PostgresEventReader } from './postgres-event-reader.js';
import type { PostgresCommits } from './postgres-commits.js';
import type { PostgresDatabase } from './postgres-database.js';
import { pruneSteps } from './step-pruner.js';

/** How long a request can be repeated with its idempotency key. */
const KEEP_KEYS_MS = 24 * 60 * 60 * 1_000;

/** The distributed adapter of `EventJournal`. */
export class PostgresEventJournal implements EventJournal {
  private readonly reader: PostgresEventReader;

  constructor(
    private readonly database: PostgresDatabase,
    private readonly commits: PostgresCommits,
    private readonly clock: Clock,
  ) {
    this.reader = new PostgresEventReader(database);
  }

  append(userId: UserId, runId: RunId, fence: number, drafts: readonly EventDraft[]): Promise<void> {
    return this.commits.write({ userId }, (tables, journalled) =>
      new RunTransitions(tables).append({ userId, runId, fence }, drafts, this.clock.now(), journalled),
    );
  }

  read(userId: UserId, query: { after: number; limit: number; runId?: RunId }): Promise<EventPage> {
    return this.reader.read(userId, query);
  }

  bounds(userId: UserId): Promise<{ pruned: number; last: number }> {
    return this.reader.bounds(userId);
  }

  openToolCalls(userId: UserId, runId: RunId): Promise<readonly OpenToolCall[]> {
    return this.reader.openToolCalls(userId, runId);
  }

  onCommitted(listener: CommitListener): void {
    this.commits.onCommitted(listener);
  }

  /** Several nodes may do so at once. */
  async prune(before: Date, limit: number): Promise<number> {
    let removed = await pruneEvents(this.database, before.getTime(), limit);
    if (removed < limit) removed += await pruneSteps(this.database, before.getTime(), limit - removed);
    if (removed < limit) removed += await pruneKeys(this.database, this.clock.now() - KEEP_KEYS_MS, limit - removed);
    return removed;
  }
}
