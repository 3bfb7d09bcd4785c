import type { ThreadRecord } from '../../execution/thread-store.port.js';
import type { ThreadId, UserId } from '../../shared/ids.js';
import { placeOfThread, threadCursorOf } from '../thread-cursor.js';
import { AFTER_ALL } from './run-reader.js';
import type { SqliteDatabase } from './sqlite-database.js';
import { threadFromRow, type ThreadRow } from './thread-table.js';

const THREADS_BY = (index: string) =>
  `SELECT * FROM threads INDEXED BY ${index} WHERE user_key = (SELECT key FROM users WHERE id = ?)`;

const THREAD_QUERIES = {
  find: `${THREADS_BY('threads_by_id')} AND id = ?`,
  list: `${THREADS_BY('threads_by_age')} AND (created_at, id) < (?, ?) ORDER BY created_at DESC, id DESC LIMIT ?`,
} as const;

/** What can be asked about threads. */
export class ThreadReader {
  private readonly statements;

  constructor(database: SqliteDatabase) {
    this.statements = { find: database.prepare(THREAD_QUERIES.find), list: database.prepare(THREAD_QUERIES.list) };
  }

  find(userId: UserId, threadId: ThreadId): ThreadRecord | undefined {
    const row = this.statements.find.get(userId, threadId) as ThreadRow | undefined;
    return row && threadFromRow(userId, row);
  }

  /** @throws CarrelError `invalid_request` for a cursor that no list gave */
  list(userId: UserId, page: { limit: number; cursor?: string }): { items: ThreadRecord[]; nextCursor?: string } {
    const [createdAtMs, id] =
      page.cursor === undefined ? [Number.MAX_SAFE_INTEGER, AFTER_ALL] : placeOfThread(page.cursor);
    const rows = this.statements.list.all(userId, createdAtMs, id, page.limit + 1) as unknown as ThreadRow[];
    const items = rows.slice(0, page.limit).map((row) => threadFromRow(userId, row));
    const last = items.at(-1);
    return rows.length > page.limit && last ? { items, nextCursor: threadCursorOf(last) } : { items };
  }
}
