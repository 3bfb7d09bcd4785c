import type { UserId } from '../../shared/ids.js';
import type { PostgresDatabase, Queryable } from './postgres-database.js';

/** Users who are looked at together. */
const USERS_PER_PAGE = 100;

interface Candidate {
  id: UserId;
  oldest_at: number;
}

const USERS = {
  name: 'prune_users',
  text: `
    SELECT id, oldest_at FROM users
    WHERE oldest_at IS NOT NULL AND oldest_at < $1 AND (oldest_at, id) > ($2, $3) ORDER BY oldest_at, id LIMIT $4`,
};
const LOCK = { name: 'prune_lock', text: 'SELECT pruned_seq FROM users WHERE id = $1 FOR UPDATE SKIP LOCKED' };
/**
 * The user's oldest events up to the first that stays: one that is not old enough, or of a run that has not ended. A run that
 * was deleted with its thread has ended.
 */
const OLDEST = {
  name: 'prune_oldest',
  text: `
    SELECT e.seq, e.at, e.at >= $3 OR EXISTS (
      SELECT 1 FROM runs r WHERE r.user_id = e.user_id AND r.id = e.run_id AND r.ended_at IS NULL) AS stays
    FROM events e WHERE e.user_id = $1 AND e.seq > $2 ORDER BY e.seq LIMIT $4`,
};
const REMOVE = { name: 'prune_remove', text: 'DELETE FROM events WHERE user_id = $1 AND seq <= $2' };
const ADVANCE = {
  name: 'prune_advance',
  text: 'UPDATE users SET pruned_seq = $2, oldest_at = $3, version = version + 1 WHERE id = $1',
};
const KEYS = {
  name: 'prune_keys',
  text: `
    UPDATE runs SET idempotency_key = NULL, fingerprint = NULL WHERE (user_id, id) IN (
      SELECT user_id, id FROM runs WHERE idempotency_key IS NOT NULL AND created_at < $1
      ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED) RETURNING 1 AS n`,
};

/**
 * Removes old events of all users, each one's oldest first and without a hole. A user about whom something is just being
 * decided is left for the next time.
 *
 * @returns how many were removed, at most `limit`
 */
export async function pruneEvents(database: PostgresDatabase, beforeMs: number, limit: number): Promise<number> {
  let removed = 0;
  for (let last: Candidate = { oldest_at: Number.MIN_SAFE_INTEGER, id: '' as UserId }; removed < limit;) {
    const page = await database.query<Candidate>(USERS, [beforeMs, last.oldest_at, last.id, USERS_PER_PAGE]);
    for (const user of page) {
      if (removed < limit) {
        removed += await database.transaction((connection) =>
          pruneUser(connection, user.id, beforeMs, limit - removed),
        );
      }
      last = user;
    }
    if (page.length < USERS_PER_PAGE) break;
  }
  return removed;
}

/** @returns how many keys were removed, at most `limit` */
export async function pruneKeys(database: PostgresDatabase, beforeMs: number, limit: number): Promise<number> {
  return (await database.query(KEYS, [beforeMs, limit])).length;
}

async function pruneUser(connection: Queryable, userId: UserId, beforeMs: number, limit: number): Promise<number> {
  const [user] = await connection.query<{ pruned_seq: number }>(LOCK, [userId]);
  if (!user) return 0;
  type Row = { seq: number; at: number; stays: boolean };
  // one more than may go: it is the user's oldest then
  const rows = await connection.query<Row>(OLDEST, [userId, user.pruned_seq, beforeMs, limit + 1]);
  const firstKept = rows.findIndex(({ stays }, index) => stays || index === limit);
  const gone = firstKept === -1 ? rows : rows.slice(0, firstKept);
  const lastGone = gone.at(-1);
  if (!lastGone) return 0;
  await connection.query(REMOVE, [userId, lastGone.seq]);
  await connection.query(ADVANCE, [userId, lastGone.seq, firstKept === -1 ? null : rows[firstKept]!.at]);
  return gone.length;
}
