import { newestThatFit, type MessageOutline } from '../../execution/models/conversation-cut.js';
import type {
  HistoryLimits,
  MessageRecord,
  MessageStore,
  NewMessage,
} from '../../execution/models/message-store.port.js';
import { CarrelError } from '../../shared/errors.js';
import type { RunId, ThreadId, UserId } from '../../shared/ids.js';
import { messageFromRow, placeOfMessage, type MessageRow } from '../message-row.js';
import { appendMessages } from './message-table.js';
import type { PostgresDatabase } from './postgres-database.js';
import { lockUser } from './user-lock.js';

/** Characters of content that one page has at most, unless its only message has more. */
const PAGE_CHARS = 1_024 * 1_024;

const OF_THREAD = 'FROM messages WHERE user_id = $1 AND thread_id = $2';

const STANDING = {
  name: 'messages_standing',
  text: `
    SELECT EXISTS (SELECT 1 FROM threads WHERE user_id = $1 AND id = $2) AS known,
           EXISTS (SELECT 1 FROM runs WHERE user_id = $1 AND id = $3 AND thread_id = $2 AND status = 'running') AS running`,
};
const KNOWN = { name: 'messages_thread', text: 'SELECT 1 AS n FROM threads WHERE user_id = $1 AND id = $2' };
/** Of the message behind the page only the place is wanted, and its content may be long. */
const PAGE = {
  name: 'messages_page',
  text: `
    SELECT place, run_id, nth, id, role, tokens, created_at, fits, CASE WHEN fits THEN content END AS content
    FROM (
      SELECT *, n = 1 OR (n <= $4 - 1 AND chars <= ${PAGE_CHARS}) AS fits
      FROM (
        SELECT *, row_number() OVER by_place AS n, sum(length(content)) OVER by_place AS chars
        FROM (SELECT * ${OF_THREAD} AND place > $3 ORDER BY place LIMIT $4) AS page
        WINDOW by_place AS (ORDER BY place)) AS counted) AS cut
    ORDER BY place`,
};
const OUTLINE = {
  name: 'messages_outline',
  text: `SELECT place, run_id AS "runId", tokens ${OF_THREAD} AND run_id <> $3 ORDER BY place DESC`,
};
const AT = { name: 'messages_at', text: `SELECT * ${OF_THREAD} AND place = ANY($3) ORDER BY place` };

/** The distributed adapter of `MessageStore`. */
export class PostgresMessageStore implements MessageStore {
  constructor(private readonly database: PostgresDatabase) {}

  append(userId: UserId, threadId: ThreadId, runId: RunId, added: readonly NewMessage[], limit: number): Promise<void> {
    return this.database.transaction(async (connection) => {
      await lockUser(connection, userId);
      const [standing] = await connection.query<{ known: boolean; running: boolean }>(STANDING, [
        userId,
        threadId,
        runId,
      ]);
      if (!standing?.known) throw new CarrelError('not_found', 'there is no such thread');
      if (!standing.running) throw new CarrelError('run_closed');
      await appendMessages(connection, { userId, threadId, runId }, added, limit);
    });
  }

  async list(
    userId: UserId,
    threadId: ThreadId,
    { limit, cursor }: { limit: number; cursor?: string },
  ): Promise<{ items: readonly MessageRecord[]; nextCursor?: string } | undefined> {
    const after = cursor === undefined ? 0 : placeOfMessage(cursor);
    if ((await this.database.query(KNOWN, [userId, threadId])).length === 0) return undefined;
    const rows = await this.database.query<MessageRow & { fits: boolean }>(PAGE, [userId, threadId, after, limit + 1]);
    const page = rows.filter(({ fits }) => fits);
    const items = page.map((row) => messageFromRow(threadId, row));
    return page.length < rows.length ? { items, nextCursor: String(page.at(-1)?.place) } : { items };
  }

  async latest(userId: UserId, threadId: ThreadId, limits: HistoryLimits): Promise<readonly MessageRecord[]> {
    type Outline = MessageOutline & Pick<MessageRow, 'place'>;
    const outline = await this.database.query<Outline>(OUTLINE, [userId, threadId, limits.except]);
    const places = newestThatFit(outline, limits).map(({ place }) => place);
    if (places.length === 0) return [];
    const rows = await this.database.query<MessageRow>(AT, [userId, threadId, places]);
    return rows.map((row) => messageFromRow(threadId, row));
  }
}
