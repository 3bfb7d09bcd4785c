import type { CommitListener, EventJournal, EventPage, OpenToolCall } from '../../events/event-journal.port.js';
import type { EventDraft } from '../../events/run-event.js';
import type { Clock } from '../../shared/clock.js';
import type { RunId, UserId } from '../../shared/ids.js';
import { RunTransitions } from '../run-transitions.js';
import type { SqliteTables } from './sqlite-tables.js';

/** How long a request can be repeated with its idempotency key. */
const KEEP_KEYS_MS = 24 * 60 * 60 * 1_000;

/** The embedded adapter of `EventJournal`. */
export class SqliteEventJournal implements EventJournal {
  private readonly transitions: RunTransitions;

  constructor(
    private readonly tables: SqliteTables,
    private readonly clock: Clock,
  ) {
    this.transitions = new RunTransitions(tables);
  }

  append(userId: UserId, runId: RunId, fence: number, drafts: readonly EventDraft[]): Promise<void> {
    return this.tables.commits.write((journalled) =>
      this.transitions.append({ userId, runId, fence }, drafts, this.clock.now(), journalled),
    );
  }

  async read(userId: UserId, query: { after: number; limit: number; runId?: RunId }): Promise<EventPage> {
    return this.tables.readOf(userId, ({ eventReader }) => eventReader.read(userId, query));
  }

  async bounds(userId: UserId): Promise<{ pruned: number; last: number }> {
    return this.tables.readOf(userId, ({ eventReader }) => eventReader.bounds(userId));
  }

  async openToolCalls(userId: UserId, runId: RunId): Promise<readonly OpenToolCall[]> {
    return this.tables.readOf(userId, ({ eventReader }) => eventReader.openToolCalls(userId, runId));
  }

  onCommitted(listener: CommitListener): void {
    this.tables.commits.onCommitted(listener);
  }

  prune(before: Date, limit: number): Promise<number> {
    return this.tables.commits.write(() => {
      const { backlog, pruner, stepPruner } = this.tables;
      backlog.settleAll();
      let removed = pruner.pruneEvents(before.getTime(), limit);
      removed += stepPruner.prune(before.getTime(), limit - removed);
      return removed + pruner.pruneKeys(this.clock.now() - KEEP_KEYS_MS, limit - removed);
    });
  }
}
