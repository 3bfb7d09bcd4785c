import type { RunId, UserId } from '../../shared/ids.js';
import type { PostgresDatabase, Queryable } from './postgres-database.js';

/** Whoever else prunes at the same time takes other runs. */
const RUNS = {
  name: 'prune_stepped_runs',
  text: `
    SELECT user_id, id FROM runs WHERE stepped AND ended_at IS NOT NULL AND ended_at < $1
    ORDER BY ended_at LIMIT $2 FOR UPDATE SKIP LOCKED`,
};
const STEPS = {
  name: 'prune_steps',
  text: `
    DELETE FROM run_steps WHERE user_id = $1 AND run_id = $2 AND path IN (
      SELECT path FROM run_steps WHERE user_id = $1 AND run_id = $2 LIMIT $3) RETURNING 1 AS n`,
};
const APPROVALS = {
  name: 'prune_approvals',
  text: `
    WITH gone AS (
      DELETE FROM approvals WHERE user_id = $1 AND id IN (
        SELECT id FROM approvals WHERE user_id = $1 AND run_id = $2 LIMIT $3) RETURNING id),
      roles AS (DELETE FROM approval_roles WHERE user_id = $1 AND approval_id IN (SELECT id FROM gone))
    SELECT 1 AS n FROM gone`,
};
const DONE = {
  name: 'prune_steps_done',
  text: `
    WITH spent AS (DELETE FROM run_spend WHERE user_id = $1 AND run_id = $2)
    UPDATE runs SET stepped = FALSE WHERE user_id = $1 AND id = $2`,
};

/**
 * Removes what is kept of the steps of runs that ended long ago, and their questions, which are decided then, and what those
 * runs have spent: of runs without steps nothing was.
 *
 * @returns how many rows were removed, at most `limit`; the note that a run has steps is one of them
 */
export function pruneSteps(database: PostgresDatabase, beforeMs: number, limit: number): Promise<number> {
  return database.transaction(async (connection) => {
    let left = limit;
    for (const run of await connection.query<RunKey>(RUNS, [beforeMs, limit])) {
      if (left > 0) left -= await pruneRun(connection, run, left);
    }
    return limit - left;
  });
}

interface RunKey {
  user_id: UserId;
  id: RunId;
}

async function pruneRun(connection: Queryable, { user_id, id }: RunKey, limit: number): Promise<number> {
  const steps = await connection.query(STEPS, [user_id, id, limit]);
  const approvals = await connection.query(APPROVALS, [user_id, id, limit - steps.length]);
  const removed = steps.length + approvals.length;
  if (removed === limit) return removed;
  await connection.query(DONE, [user_id, id]);
  return removed + 1;
}
