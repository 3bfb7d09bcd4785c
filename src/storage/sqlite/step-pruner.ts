import type { SqliteDatabase } from './sqlite-database.js';

const STEP_PRUNE_QUERIES = {
  runs: `
    SELECT key, user_key FROM runs INDEXED BY runs_with_steps
    WHERE stepped = 1 AND ended_at IS NOT NULL AND ended_at < ? ORDER BY ended_at LIMIT ?`,
  steps: `
    DELETE FROM run_steps WHERE (run_key, path) IN (
      SELECT run_key, path FROM run_steps WHERE run_key = ?1 AND user_key = ?2 LIMIT ?3)`,
  approvals: `
    DELETE FROM approvals WHERE key IN (
      SELECT key FROM approvals INDEXED BY approvals_by_step WHERE run_key = ?1 AND user_key = ?2 LIMIT ?3)`,
  spend: 'DELETE FROM run_spend WHERE run_key = ? AND user_key = ?',
  done: 'UPDATE runs SET stepped = 0 WHERE key = ? AND user_key = ?',
} as const;

/**
 * Removes what is kept of the steps of runs that ended long ago, and their questions, which are decided then, and what those
 * runs have spent: of runs without steps nothing was.
 */
export class StepPruner {
  private readonly statements;

  constructor(database: SqliteDatabase) {
    this.statements = {
      runs: database.prepare(STEP_PRUNE_QUERIES.runs),
      steps: database.prepare(STEP_PRUNE_QUERIES.steps),
      approvals: database.prepare(STEP_PRUNE_QUERIES.approvals),
      spend: database.prepare(STEP_PRUNE_QUERIES.spend),
      done: database.prepare(STEP_PRUNE_QUERIES.done),
    };
  }

  /** @returns how many rows were removed, at most `limit`; the note that a run has steps is one of them */
  prune(beforeMs: number, limit: number): number {
    let left = limit;
    for (const { key, user_key } of this.statements.runs.all(beforeMs, limit)) {
      if (left > 0) left -= this.pruneRun(Number(key), Number(user_key), left);
    }
    return limit - left;
  }

  private pruneRun(runKey: number, userKey: number, limit: number): number {
    const steps = Number(this.statements.steps.run(runKey, userKey, limit).changes);
    const approvals = Number(this.statements.approvals.run(runKey, userKey, limit - steps).changes);
    const removed = steps + approvals;
    if (removed === limit) return removed;
    this.statements.spend.run(runKey, userKey);
    this.statements.done.run(runKey, userKey);
    return removed + 1;
  }
}
