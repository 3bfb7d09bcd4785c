import type {
  HistoryLimits,
  MessageRecord,
  MessageStore,
  NewMessage,
} from '../../execution/models/message-store.port.js';
import type { Clock } from '../../shared/clock.js';
import { CarrelError } from '../../shared/errors.js';
import type { RunId, ThreadId, UserId } from '../../shared/ids.js';
import type { SqliteTables } from './sqlite-tables.js';

/** The embedded adapter of `MessageStore`. */
export class SqliteMessageStore implements MessageStore {
  constructor(
    private readonly tables: SqliteTables,
    private readonly clock: Clock,
  ) {}

  append(userId: UserId, threadId: ThreadId, runId: RunId, added: readonly NewMessage[], limit: number): Promise<void> {
    return this.tables.commits.write(() => {
      const { users, threads, runs, messages } = this.tables;
      const user = users.load(userId, this.clock.now());
      const threadKey = threads.key(user, threadId);
      if (threadKey === undefined) throw new CarrelError('not_found', 'there is no such thread');
      const run = runs.findLive(user, runId);
      if (run?.status !== 'running' || run.threadId !== threadId) throw new CarrelError('run_closed');
      messages.append(user, threadKey, runId, added, limit);
    });
  }

  async list(
    userId: UserId,
    threadId: ThreadId,
    page: { limit: number; cursor?: string },
  ): Promise<{ items: readonly MessageRecord[]; nextCursor?: string } | undefined> {
    return this.tables.readOf(userId, ({ threadReader, messageReader }) => {
      if (!threadReader.find(userId, threadId)) return undefined;
      return messageReader.list(userId, threadId, page);
    });
  }

  async latest(userId: UserId, threadId: ThreadId, limits: HistoryLimits): Promise<readonly MessageRecord[]> {
    return this.tables.readOf(userId, ({ messageReader }) => messageReader.latest(userId, threadId, limits));
  }
}
