import type { ThreadId, UserId } from '../../shared/ids.js';
import type { Queryable } from './postgres-database.js';
import { lockAndRaise } from './user-lock.js';

const STANDING = {
  name: 'erase_standing',
  text: `
    SELECT EXISTS (SELECT 1 FROM threads WHERE user_id = $1 AND id = $2) AS known,
           EXISTS (SELECT 1 FROM runs WHERE user_id = $1 AND thread_id = $2 AND ended_at IS NULL) AS live`,
};
const MESSAGES = {
  name: 'erase_messages',
  text: `
    WITH gone AS (
      DELETE FROM messages WHERE user_id = $1 AND thread_id = $2 AND place IN
        (SELECT place FROM messages WHERE user_id = $1 AND thread_id = $2 ORDER BY place LIMIT $3) RETURNING 1)
    SELECT count(*) AS n FROM gone`,
};
/** What an event says begins after the first `,"data":`: inside JSON's strings every quote is escaped. */
const RUNS = {
  name: 'erase_runs',
  text: `
    WITH erased AS (SELECT id FROM runs WHERE user_id = $1 AND thread_id = $2 ORDER BY id LIMIT $3),
      emptied AS (
        UPDATE events SET json = left(json, strpos(json, ',"data":') + 7) || '{}}'
        WHERE user_id = $1 AND run_id IN (SELECT id FROM erased)),
      requests AS (DELETE FROM run_requests WHERE user_id = $1 AND run_id IN (SELECT id FROM erased)),
      steps AS (DELETE FROM run_steps WHERE user_id = $1 AND run_id IN (SELECT id FROM erased)),
      asked AS (DELETE FROM approvals WHERE user_id = $1 AND run_id IN (SELECT id FROM erased) RETURNING id),
      roles AS (DELETE FROM approval_roles WHERE user_id = $1 AND approval_id IN (SELECT id FROM asked)),
      spent AS (DELETE FROM run_spend WHERE user_id = $1 AND run_id IN (SELECT id FROM erased)),
      gone AS (DELETE FROM runs WHERE user_id = $1 AND id IN (SELECT id FROM erased) RETURNING 1)
    SELECT count(*) AS n FROM gone`,
};
const THREAD = { name: 'erase_thread', text: 'DELETE FROM threads WHERE user_id = $1 AND id = $2' };

/** What one transaction removes, so that the user's other work gets its turn. */
const MESSAGES_AT_ONCE = 500;
const RUNS_AT_ONCE = 50;

/** Removes a thread with its conversation and its runs, their steps and questions, and what their events say, bit by bit. */
export async function eraseSome(
  connection: Queryable,
  userId: UserId,
  threadId: ThreadId,
): Promise<'not_found' | 'busy' | 'more' | 'gone'> {
  if (!(await lockAndRaise(connection, userId))) return 'not_found';
  const [standing] = await connection.query<{ known: boolean; live: boolean }>(STANDING, [userId, threadId]);
  if (!standing?.known) return 'not_found';
  if (standing.live) return 'busy';
  for (const [statement, limit] of [[MESSAGES, MESSAGES_AT_ONCE] as const, [RUNS, RUNS_AT_ONCE] as const]) {
    const [removed] = await connection.query<{ n: number }>(statement, [userId, threadId, limit]);
    if (removed?.n === limit) return 'more';
  }
  await connection.query(THREAD, [userId, threadId]);
  return 'gone';
}
