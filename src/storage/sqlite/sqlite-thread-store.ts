import type { ThreadRecord, ThreadStore } from '../../execution/thread-store.port.js';
import type { Clock } from '../../shared/clock.js';
import { CarrelError } from '../../shared/errors.js';
import type { ThreadId, UserId } from '../../shared/ids.js';
import type { SqliteTables } from './sqlite-tables.js';

const BUSY = 'the thread has runs that have not ended: wait for them, or cancel them';

/** Runs that one operation deletes; a thread with more of them is deleted in several, so that others get their turn. */
const ERASED_AT_ONCE = 50;

/** The embedded adapter of `ThreadStore`. */
export class SqliteThreadStore implements ThreadStore {
  constructor(
    private readonly tables: SqliteTables,
    private readonly clock: Clock,
  ) {}

  create(userId: UserId, thread: Omit<ThreadRecord, 'userId'>): Promise<{ thread: ThreadRecord; created: boolean }> {
    return this.tables.commits.write(() => {
      const { users, threads } = this.tables;
      const user = users.load(userId, this.clock.now());
      const known = threads.find(user, thread.id);
      if (known) return { thread: known, created: false };
      users.store(user);
      threads.insert(user, thread);
      return { thread: { ...thread, userId }, created: true };
    });
  }

  async find(userId: UserId, threadId: ThreadId): Promise<ThreadRecord | undefined> {
    return this.tables.readOf(userId, ({ threadReader }) => threadReader.find(userId, threadId));
  }

  async list(
    userId: UserId,
    page: { limit: number; cursor?: string },
  ): Promise<{ items: readonly ThreadRecord[]; nextCursor?: string }> {
    return this.tables.readOf(userId, ({ threadReader }) => threadReader.list(userId, page));
  }

  async delete(userId: UserId, threadId: ThreadId): Promise<boolean> {
    for (;;) {
      const outcome = await this.erase(userId, threadId);
      if (outcome !== 'more') return outcome === 'gone';
    }
  }

  private erase(userId: UserId, threadId: ThreadId): Promise<'gone' | 'more' | 'not_found'> {
    return this.tables.commits.write(() => {
      const { backlog, users, threads, eraser } = this.tables;
      backlog.settle(userId);
      const user = users.load(userId, this.clock.now());
      const key = threads.key(user, threadId);
      if (key === undefined) return 'not_found';
      if (eraser.hasLiveRuns(user.key, key)) throw new CarrelError('thread_busy', BUSY);
      return eraser.erase(user.key, key, ERASED_AT_ONCE) ? 'gone' : 'more';
    });
  }
}
