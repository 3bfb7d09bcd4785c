import type { HistoryLimits, MessageRecord } from '../execution/models/message-store.port.js';
import { CarrelError } from '../shared/errors.js';
import type { ThreadId, UserId } from '../shared/ids.js';
import { messageFromRow, type MessageRow } from './message-row.js';
import type { SqliteDatabase } from './sqlite-database.js';

const USER_KEY = '(SELECT key FROM users WHERE id = ?1)';
const MESSAGES = `
  SELECT * FROM messages INDEXED BY messages_by_thread
  WHERE user_key = ${USER_KEY} AND thread_key = (SELECT key FROM threads WHERE user_key = ${USER_KEY} AND id = ?2)`;

const MESSAGE_QUERIES = {
  after: `${MESSAGES} AND place > ?3 ORDER BY place LIMIT ?4`,
  newest: `${MESSAGES} AND run_id <> ?3 ORDER BY place DESC`,
} as const;

/** What can be asked about conversations. */
export class MessageReader {
  private readonly statements;

  constructor(database: SqliteDatabase) {
    this.statements = {
      after: database.prepare(MESSAGE_QUERIES.after),
      newest: database.prepare(MESSAGE_QUERIES.newest),
    };
  }

  /** @throws CarrelError `invalid_request` for a cursor that no list gave */
  list(
    userId: UserId,
    threadId: ThreadId,
    { limit, cursor }: { limit: number; cursor?: string },
  ): { items: MessageRecord[]; nextCursor?: string } {
    const after = cursor === undefined ? 0 : placeOf(cursor);
    const rows = this.statements.after.all(userId, threadId, after, limit + 1) as unknown as MessageRow[];
    const page = rows.slice(0, limit);
    const items = page.map((row) => messageFromRow(threadId, row));
    return rows.length > limit ? { items, nextCursor: String(page.at(-1)?.place) } : { items };
  }

  latest(userId: UserId, threadId: ThreadId, limits: HistoryLimits): MessageRecord[] {
    const rows = this.statements.newest.iterate(userId, threadId, limits.except);
    return newestRuns(rows as Iterable<unknown> as Iterable<MessageRow>, limits)
      .toReversed()
      .map((row) => messageFromRow(threadId, row));
  }
}

/** Rows of as many whole runs as fit, of rows that come newest first. */
function newestRuns(rows: Iterable<MessageRow>, limits: HistoryLimits): MessageRow[] {
  const taken: MessageRow[] = [];
  let whole = 0;
  let runs = 0;
  let tokens = 0;
  for (const row of rows) {
    if (row.run_id !== taken.at(-1)?.run_id) {
      whole = taken.length;
      runs += 1;
    }
    tokens += row.tokens;
    if (runs > limits.runs || tokens > limits.tokens) return taken.slice(0, whole);
    taken.push(row);
  }
  return taken;
}

/** A cursor is the number of the last message that was seen; it holds also when that has gone. */
function placeOf(cursor: string): number {
  if (/^\d{1,15}$/.test(cursor)) return Number(cursor);
  throw new CarrelError('invalid_request', 'cursor must be the nextCursor of the page before');
}
