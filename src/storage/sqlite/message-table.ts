import type { NewMessage } from '../../execution/models/message-store.port.js';
import type { RunId } from '../../shared/ids.js';
import type { MessageRow } from '../message-row.js';
import type { SqliteDatabase } from './sqlite-database.js';
import type { SqliteUser } from './user-table.js';

const OF_THREAD = 'FROM messages INDEXED BY messages_by_thread WHERE user_key = ?1 AND thread_key = ?2';

const MESSAGE_QUERIES = {
  newest: `SELECT place, run_id, nth ${OF_THREAD} ORDER BY place DESC LIMIT 1`,
  oldest: `SELECT place ${OF_THREAD} ORDER BY place LIMIT 1`,
  runAt: `SELECT run_id ${OF_THREAD} AND place = ?3`,
  otherBehind: `SELECT place ${OF_THREAD} AND place > ?3 AND run_id <> ?4 ORDER BY place LIMIT 1`,
  otherBefore: `SELECT place ${OF_THREAD} AND place < ?3 AND run_id <> ?4 ORDER BY place DESC LIMIT 1`,
  insert: `
    INSERT INTO messages (user_key, thread_key, place, run_id, nth, id, role, tokens, created_at, content)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  remove: `DELETE ${OF_THREAD} AND place <= ?3`,
  erase: `DELETE FROM messages WHERE key IN (SELECT key ${OF_THREAD} ORDER BY place LIMIT ?3)`,
} as const;

/** The writer's half of `messages`. */
export class MessageTable {
  private readonly statements;

  constructor(database: SqliteDatabase) {
    this.statements = {
      newest: database.prepare(MESSAGE_QUERIES.newest),
      oldest: database.prepare(MESSAGE_QUERIES.oldest),
      runAt: database.prepare(MESSAGE_QUERIES.runAt),
      otherBehind: database.prepare(MESSAGE_QUERIES.otherBehind),
      otherBefore: database.prepare(MESSAGE_QUERIES.otherBefore),
      insert: database.prepare(MESSAGE_QUERIES.insert),
      remove: database.prepare(MESSAGE_QUERIES.remove),
      erase: database.prepare(MESSAGE_QUERIES.erase),
    };
  }

  /** Adds what the run has not got yet, and lets the oldest runs' messages go when there are more than `limit`. */
  append(user: SqliteUser, threadKey: number, runId: RunId, messages: readonly NewMessage[], limit: number): void {
    const newest = this.statements.newest.get(user.key, threadKey) as MessageRow | undefined;
    const last = newest?.place ?? 0;
    let place = last;
    let nth = newest?.run_id === runId ? newest.nth : -1;
    for (const message of messages) {
      if (message.index <= nth) continue;
      nth = message.index;
      this.insert(user, threadKey, ++place, runId, message);
    }
    if (place > last) this.trim(user, threadKey, runId, place - limit);
  }

  /** @returns whether all are gone: false when there may be more than `limit` */
  erase(userKey: number, threadKey: number, limit: number): boolean {
    return Number(this.statements.erase.run(userKey, threadKey, limit).changes) < limit;
  }

  private insert(user: SqliteUser, threadKey: number, place: number, runId: RunId, message: NewMessage): void {
    const { index, id, role, tokens, createdAtMs } = message;
    const content = JSON.stringify(message.content);
    this.statements.insert.run(user.key, threadKey, place, runId, index, id, role, tokens, createdAtMs, content);
  }

  /** Removes all up to `place`, and what else belongs to those runs; but nothing of the run itself. */
  private trim(user: SqliteUser, threadKey: number, runId: RunId, place: number): void {
    const { oldest, runAt, otherBehind, otherBefore, remove } = this.statements;
    if (place < Number(oldest.get(user.key, threadKey)?.place)) return;
    const owner = runAt.get(user.key, threadKey, place)?.run_id as RunId;
    const last =
      owner === runId
        ? otherBefore.get(user.key, threadKey, place, runId)?.place
        : Number(otherBehind.get(user.key, threadKey, place, owner)?.place) - 1;
    if (last !== undefined) remove.run(user.key, threadKey, Number(last));
  }
}
