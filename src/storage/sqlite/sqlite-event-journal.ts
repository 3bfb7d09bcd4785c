import type { CommitListener, EventJournal, EventPage, OpenToolCall } from '../../events/event-journal.port.js';
import type { EventDraft } from '../../events/run-event.js';
import type { Clock } from '../../shared/clock.js';
import type { RunId, UserId } from '../../shared/ids.js';
import { liveRunUnderFence, refuseTerminal } from '../run-rules.js';
import type { SqliteTables } from './sqlite-tables.js';

/** How long a request can be repeated with its idempotency key. */
const KEEP_KEYS_MS = 24 * 60 * 60 * 1_000;

/** The embedded adapter of `EventJournal`. */
export class SqliteEventJournal implements EventJournal {
  constructor(
    private readonly tables: SqliteTables,
    private readonly clock: Clock,
  ) {}

  append(userId: UserId, runId: RunId, fence: number, drafts: readonly EventDraft[]): Promise<void> {
    return this.tables.commits.write((journalled) => {
      const { users, runs, events } = this.tables;
      const user = users.load(userId, this.clock.now());
      const run = liveRunUnderFence(runs, user, runId, fence);
      refuseTerminal(drafts);
      events.append(user, run, drafts, journalled);
      const attempt = drafts.at(-1)?.attempt ?? 0;
      if (attempt > run.attempt) runs.saveState(user, Object.assign(run, { attempt }));
    });
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
