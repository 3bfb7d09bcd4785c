import type { NewRun } from '../../execution/run-store.port.js';
import type { ThreadRecord } from '../../execution/thread-store.port.js';
import type { ThreadId, UserId } from '../../shared/ids.js';
import type { JsonObject } from '../../shared/json.js';
import { parsed } from '../run-row.js';
import type { Backlog } from './backlog.js';
import type { PendingThread } from './backlog-rows.js';
import type { SqliteDatabase } from './sqlite-database.js';
import type { SqliteUser } from './user-table.js';

export interface ThreadRow {
  key: number;
  id: string;
  title: string | null;
  metadata: string;
  created_at: number;
}

/** The thread of a new run; `made`: there is none yet. */
export interface ThreadPlace {
  key: number;
  made?: PendingThread;
}

/** The writer's half of `threads`. */
export class ThreadTable {
  private readonly insertThread;
  private readonly byId;
  private readonly keyOf;
  private lastKey: number;

  constructor(
    database: SqliteDatabase,
    private readonly backlog: Backlog,
  ) {
    this.insertThread = database.prepare(
      'INSERT INTO threads (key, user_key, id, title, metadata, created_at) VALUES (?, ?, ?, ?, ?, ?)',
    );
    this.byId = database.prepare('SELECT * FROM threads WHERE user_key = ? AND id = ?');
    this.keyOf = database.prepare('SELECT key FROM threads WHERE user_key = ? AND id = ?');
    this.lastKey = Number(database.prepare('SELECT max(key) AS key FROM threads').get()?.key ?? 0);
  }

  /** A user's thread, which is made with the run when there is none. */
  ensure(user: SqliteUser, { threadId: id, opensThread, createdAtMs }: NewRun): ThreadPlace {
    const known = opensThread ? undefined : this.key(user, id);
    if (known !== undefined) return { key: known };
    const made = { key: ++this.lastKey, id, createdAtMs };
    return { key: made.key, made };
  }

  key(user: SqliteUser, id: ThreadId): number | undefined {
    return this.backlog.threadKey(user.id, id) ?? (this.keyOf.get(user.key, id)?.key as number | undefined);
  }

  find(user: SqliteUser, id: ThreadId): ThreadRecord | undefined {
    this.backlog.settle(user.id);
    const row = this.byId.get(user.key, id) as ThreadRow | undefined;
    return row && threadFromRow(user.id, row);
  }

  insert(user: SqliteUser, { id, title, metadata, createdAtMs }: Omit<ThreadRecord, 'userId'>): void {
    this.insertThread.run(++this.lastKey, user.key, id, title ?? null, JSON.stringify(metadata), createdAtMs);
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
