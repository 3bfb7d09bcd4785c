import type { RunRef } from '../../execution/run-store.port.js';
import type { ApprovalId, RunId, UserId } from '../../shared/ids.js';
import type { Queryable } from './postgres-database.js';

export interface DueApproval extends RunRef {
  id: ApprovalId;
}

const RUNS = {
  name: 'due_runs',
  text: 'SELECT user_id, id FROM runs WHERE due_at IS NOT NULL AND due_at <= $1 ORDER BY due_at LIMIT $2',
};
const APPROVALS = {
  name: 'due_approvals',
  text: `
    SELECT user_id, run_id, id FROM approvals WHERE decision IS NULL AND expires_at <= $1 ORDER BY expires_at LIMIT $2`,
};
const NEXT = {
  name: 'due_next',
  text: `
    SELECT least(
      (SELECT min(due_at) FROM runs WHERE due_at IS NOT NULL),
      (SELECT min(expires_at) FROM approvals WHERE decision IS NULL)) AS at`,
};

/** Delayed runs, and suspended ones whose sleep is over, of all users. */
export async function dueRuns(database: Queryable, nowMs: number, limit: number): Promise<RunRef[]> {
  const rows = await database.query<{ user_id: UserId; id: RunId }>(RUNS, [nowMs, limit]);
  return rows.map(({ user_id, id }) => ({ userId: user_id, runId: id }));
}

/** Open questions that have expired, of all users. */
export async function dueApprovals(database: Queryable, nowMs: number, limit: number): Promise<DueApproval[]> {
  if (limit <= 0) return [];
  type Row = { user_id: UserId; run_id: RunId; id: ApprovalId };
  const rows = await database.query<Row>(APPROVALS, [nowMs, limit]);
  return rows.map(({ user_id, run_id, id }) => ({ userId: user_id, runId: run_id, id }));
}

export async function nextDueMs(database: Queryable): Promise<number | undefined> {
  const [row] = await database.query<{ at: number | null }>(NEXT);
  return row?.at ?? undefined;
}
