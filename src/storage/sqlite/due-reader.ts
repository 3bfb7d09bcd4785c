import type { RunRef } from '../../execution/run-store.port.js';
import type { ApprovalId, RunId, UserId } from '../../shared/ids.js';
import type { SqliteDatabase } from './sqlite-database.js';

const DUE_QUERIES = {
  runs: `
    SELECT r.id, u.id AS user_id FROM runs r INDEXED BY runs_due JOIN users u ON u.key = r.user_key
    WHERE r.due_at IS NOT NULL AND r.due_at <= ? ORDER BY r.due_at LIMIT ?`,
  approvals: `
    SELECT id FROM approvals INDEXED BY approvals_by_expiry
    WHERE decision IS NULL AND expires_at <= ? ORDER BY expires_at LIMIT ?`,
  nextRun: 'SELECT min(due_at) AS at FROM runs INDEXED BY runs_due WHERE due_at IS NOT NULL',
  nextApproval: 'SELECT min(expires_at) AS at FROM approvals INDEXED BY approvals_by_expiry WHERE decision IS NULL',
} as const;

/** Whom time lets go on, of all users. */
export class DueReader {
  private readonly statements;

  constructor(database: SqliteDatabase) {
    this.statements = {
      runs: database.prepare(DUE_QUERIES.runs),
      approvals: database.prepare(DUE_QUERIES.approvals),
      nextRun: database.prepare(DUE_QUERIES.nextRun),
      nextApproval: database.prepare(DUE_QUERIES.nextApproval),
    };
  }

  /** Delayed runs, and suspended ones whose sleep is over. */
  runs(nowMs: number, limit: number): RunRef[] {
    const rows = this.statements.runs.all(nowMs, limit);
    return rows.map((row) => ({ userId: row.user_id as UserId, runId: row.id as RunId }));
  }

  /** Open questions that have expired. */
  approvals(nowMs: number, limit: number): { approvalId: ApprovalId }[] {
    return this.statements.approvals.all(nowMs, limit).map((row) => ({ approvalId: row.id as ApprovalId }));
  }

  nextDueMs(): number | undefined {
    const moments = [this.statements.nextRun.get()?.at, this.statements.nextApproval.get()?.at];
    const known = moments.filter((at) => at !== null && at !== undefined).map(Number);
    return known.length === 0 ? undefined : Math.min(...known);
  }
}
