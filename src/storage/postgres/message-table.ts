import type { NewMessage } from '../../execution/models/message-store.port.js';
import type { RunId, ThreadId, UserId } from '../../shared/ids.js';
import type { Queryable } from './postgres-database.js';

const OF_THREAD = 'FROM messages WHERE user_id = $1 AND thread_id = $2';

const NEWEST = {
  name: 'messages_newest',
  text: `SELECT place, run_id, nth ${OF_THREAD} ORDER BY place DESC LIMIT 1`,
};
const INSERT = {
  name: 'messages_insert',
  text: `
    INSERT INTO messages (user_id, thread_id, run_id, place, nth, id, role, tokens, created_at, content)
    SELECT $1, $2, $3, added.* FROM
      unnest($4::bigint[], $5::int[], $6::text[], $7::text[], $8::int[], $9::bigint[], $10::text[]) AS added`,
};
/** Everything up to a place, and what else belongs to the run there; but nothing of the run itself. */
const TRIM = {
  name: 'messages_trim',
  text: `
    DELETE ${OF_THREAD} AND place <= (
      SELECT CASE
        WHEN run_id = $3 THEN (SELECT max(place) ${OF_THREAD} AND place < $4 AND run_id <> $3)
        ELSE (SELECT min(place) ${OF_THREAD} AND place > $4 AND run_id <> cut.run_id) - 1 END
      FROM (SELECT run_id ${OF_THREAD} AND place = $4) AS cut)`,
};

interface Newest {
  place: number;
  run_id: RunId;
  nth: number;
}

/** Adds what the run has not got yet, and lets the oldest runs' messages go when there are more than `limit`. */
export async function appendMessages(
  connection: Queryable,
  { userId, threadId, runId }: { userId: UserId; threadId: ThreadId; runId: RunId },
  messages: readonly NewMessage[],
  limit: number,
): Promise<void> {
  const [newest] = await connection.query<Newest>(NEWEST, [userId, threadId]);
  const nth = newest?.run_id === runId ? newest.nth : -1;
  const added = messages.filter(({ index }) => index > nth);
  if (added.length === 0) return;
  const last = newest?.place ?? 0;
  await connection.query(INSERT, [
    userId,
    threadId,
    runId,
    added.map((_, i) => last + 1 + i),
    added.map(({ index }) => index),
    added.map(({ id }) => id),
    added.map(({ role }) => role),
    added.map(({ tokens }) => tokens),
    added.map(({ createdAtMs }) => createdAtMs),
    added.map(({ content }) => JSON.stringify(content)),
  ]);
  await connection.query(TRIM, [userId, threadId, runId, last + added.length - limit]);
}
