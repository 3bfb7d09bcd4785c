import type { ThreadRecord } from '../execution/thread-store.port.js';
import type { ThreadId, UserId } from '../shared/ids.js';
import type { JsonObject } from '../shared/json.js';
import { parsed } from './run-row.js';
import type { SqliteDatabase } from './sqlite-database.js';
import type { UserState } from './user-table.js';

export interface ThreadRow {
  key: number;
  id: string;
  title: string | null;
  metadata: string;
  created_at: number;
}

/** The writer's half of `threads`. */
export class ThreadTable {
  private readonly insertThread;
  private readonly byId;
  private readonly keyOf;
  private lastKey: number;

  constructor(database: SqliteDatabase) {
    this.insertThread = database.prepare(
      'INSERT INTO threads (key, user_key, id, title, metadata, created_at) VALUES (?, ?, ?, ?, ?, ?)',
    );
    this.byId = database.prepare('SELECT * FROM threads WHERE user_key = ? AND id = ?');
    this.keyOf = database.prepare('SELECT key FROM threads WHERE user_key = ? AND id = ?');
    this.lastKey = Number(database.prepare('SELECT max(key) AS key FROM threads').get()?.key ?? 0);
  }

  /** The key of a user's thread, which is made when there is none. */
  ensure(user: UserState, id: ThreadId, createdAtMs: number): number {
    return this.key(user, id) ?? this.insert(user, { id, metadata: {}, createdAtMs });
  }

  key(user: UserState, id: ThreadId): number | undefined {
    return this.keyOf.get(user.key, id)?.key as number | undefined;
  }

  find(user: UserState, id: ThreadId): ThreadRecord | undefined {
    const row = this.byId.get(user.key, id) as ThreadRow | undefined;
    return row && threadFromRow(user.id, row);
  }

  insert(user: UserState, thread: Omit<ThreadRecord, 'userId'>): number {
    const key = ++this.lastKey;
    this.insertThread.run(
      key,
      user.key,
      thread.id,
      thread.title ?? null,
      JSON.stringify(thread.metadata),
      thread.createdAtMs,
    );
    return key;
  }
}

/** @throws CarrelError `internal` when the row can't be read */
export function threadFromRow(userId: UserId, row: ThreadRow): ThreadRecord {
  const thread: ThreadRecord = {
    id: row.id as ThreadId,
    userId,
    metadata: parsed(row.metadata, row.id) as JsonObject,
    createdAtMs: row.created_at,
  };
  return row.title === null ? thread : { ...thread, title: row.title };
}
