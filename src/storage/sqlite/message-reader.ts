import { newestThatFit, type MessageOutline } from '../../execution/models/conversation-cut.js';
import type { HistoryLimits, MessageRecord } from '../../execution/models/message-store.port.js';
import type { ThreadId, UserId } from '../../shared/ids.js';
import { messageFromRow, placeOfMessage, type MessageRow } from '../message-row.js';
import type { SqliteDatabase } from './sqlite-database.js';

/** Characters of content that one page has at most, unless its only message has more. */
const PAGE_CHARS = 1_024 * 1_024;

type Outline = MessageOutline & Pick<MessageRow, 'place'>;

const USER_KEY = '(SELECT key FROM users WHERE id = ?1)';
const BY_KEY = 'FROM messages INDEXED BY messages_by_thread WHERE user_key = ?1 AND thread_key = ?2';
const OF_THREAD = `
  FROM messages INDEXED BY messages_by_thread
  WHERE user_key = ${USER_KEY} AND thread_key = (SELECT key FROM threads WHERE user_key = ${USER_KEY} AND id = ?2)`;

const MESSAGE_QUERIES = {
  after: `SELECT * ${OF_THREAD} AND place > ?3 ORDER BY place LIMIT ?4`,
  outline: `SELECT place, run_id AS runId, tokens ${BY_KEY} AND run_id <> ?3 ORDER BY place DESC`,
  at: `SELECT * ${BY_KEY} AND place = ?3`,
} as const;

/** What can be asked about conversations. */
export class MessageReader {
  private readonly statements;

  constructor(database: SqliteDatabase) {
    this.statements = {
      after: database.prepare(MESSAGE_QUERIES.after),
      outline: database.prepare(MESSAGE_QUERIES.outline),
      at: database.prepare(MESSAGE_QUERIES.at),
    };
  }

  /** @throws CarrelError `invalid_request` for a cursor that no list gave */
  list(
    userId: UserId,
    threadId: ThreadId,
    { limit, cursor }: { limit: number; cursor?: string },
  ): { items: MessageRecord[]; nextCursor?: string } {
    const after = cursor === undefined ? 0 : placeOfMessage(cursor);
    const page: MessageRow[] = [];
    let chars = 0;
    for (const row of this.statements.after.iterate(userId, threadId, after, limit + 1)) {
      const message = row as unknown as MessageRow;
      chars += message.content.length;
      if (page.length === limit || (page.length > 0 && chars > PAGE_CHARS)) {
        return { items: page.map((one) => messageFromRow(threadId, one)), nextCursor: String(page.at(-1)?.place) };
      }
      page.push(message);
    }
    return { items: page.map((one) => messageFromRow(threadId, one)) };
  }

  latest(id: ThreadId, key: { user: number; thread: number }, limits: HistoryLimits): MessageRecord[] {
    const outline = this.statements.outline.iterate(key.user, key.thread, limits.except);
    const chosen = newestThatFit(outline as Iterable<unknown> as Iterable<Outline>, limits);
    return chosen.map(({ place }) =>
      messageFromRow(id, this.statements.at.get(key.user, key.thread, place) as unknown as MessageRow),
    );
  }
}
