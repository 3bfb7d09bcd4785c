import type { ThreadRecord, ThreadStore } from '../../execution/thread-store.port.js';
import { CarrelError } from '../../shared/errors.js';
import type { ThreadId, UserId } from '../../shared/ids.js';
import type { JsonObject } from '../../shared/json.js';
import { parsed } from '../run-row.js';
import { placeOfThread, threadCursorOf } from '../thread-cursor.js';
import type { PostgresDatabase } from './postgres-database.js';
import { eraseSome } from './thread-eraser.js';

interface ThreadRow {
  id: string;
  created_at: number;
  facts: string;
}

const COLUMNS = 'SELECT id, created_at, facts FROM threads WHERE user_id = $1';

const CREATE = {
  name: 'threads_create',
  text: `
    WITH enlisted AS (INSERT INTO users (id) VALUES ($1) ON CONFLICT DO NOTHING)
    INSERT INTO threads (user_id, id, created_at, facts) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING RETURNING id`,
};
const FIND = { name: 'threads_find', text: `${COLUMNS} AND id = $2` };
const LIST = {
  name: 'threads_list',
  text: `${COLUMNS} ORDER BY created_at DESC, id DESC LIMIT $2`,
};
const LIST_AFTER = {
  name: 'threads_list_after',
  text: `${COLUMNS} AND (created_at, id) < ($3, $4) ORDER BY created_at DESC, id DESC LIMIT $2`,
};

/** The distributed adapter of `ThreadStore`. */
export class PostgresThreadStore implements ThreadStore {
  constructor(private readonly database: PostgresDatabase) {}

  async create(
    userId: UserId,
    thread: Omit<ThreadRecord, 'userId'>,
  ): Promise<{ thread: ThreadRecord; created: boolean }> {
    for (;;) {
      const made = await this.database.query(CREATE, [userId, thread.id, thread.createdAtMs, factsOf(thread)]);
      if (made.length === 1) return { thread: { ...thread, userId }, created: true };
      const known = await this.find(userId, thread.id);
      if (known) return { thread: known, created: false };
    }
  }

  async find(userId: UserId, threadId: ThreadId): Promise<ThreadRecord | undefined> {
    const [row] = await this.database.query<ThreadRow>(FIND, [userId, threadId]);
    return row && threadFromRow(userId, row);
  }

  async list(
    userId: UserId,
    { limit, cursor }: { limit: number; cursor?: string },
  ): Promise<{ items: readonly ThreadRecord[]; nextCursor?: string }> {
    const rows =
      cursor === undefined
        ? await this.database.query<ThreadRow>(LIST, [userId, limit + 1])
        : await this.database.query<ThreadRow>(LIST_AFTER, [userId, limit + 1, ...placeOfThread(cursor)]);
    const items = rows.slice(0, limit).map((row) => threadFromRow(userId, row));
    const last = items.at(-1);
    return rows.length > limit && last ? { items, nextCursor: threadCursorOf(last) } : { items };
  }

  async delete(userId: UserId, threadId: ThreadId): Promise<boolean> {
    for (;;) {
      const outcome = await this.database.transaction((connection) => eraseSome(connection, userId, threadId));
      if (outcome === 'busy') {
        throw new CarrelError('thread_busy', 'the thread has runs that have not ended: wait for them, or cancel them');
      }
      if (outcome !== 'more') return outcome === 'gone';
    }
  }
}

/** The column `facts`. A title is in it, since a text of PostgreSQL can't have every character that JSON has. */
export function factsOf({ title, metadata }: Pick<ThreadRecord, 'title' | 'metadata'>): string {
  return JSON.stringify({ title, metadata });
}

/** @throws CarrelError `internal` when the row can't be read */
function threadFromRow(userId: UserId, row: ThreadRow): ThreadRecord {
  const { title, metadata } = parsed(row.facts, row.id) as { title?: string; metadata: JsonObject };
  const thread: ThreadRecord = { id: row.id as ThreadId, userId, metadata, createdAtMs: row.created_at };
  return title === undefined ? thread : { ...thread, title };
}
