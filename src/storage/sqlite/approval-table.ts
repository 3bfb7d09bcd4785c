import type { NewApproval } from '../../events/approval-record.js';
import type { ApprovalId } from '../../shared/ids.js';
import { questionFromRow, storedQuestionOf, type ApprovalRow } from '../approval-row.js';
import type { Verdict } from '../decision-tables.js';
import type { LiveRun } from '../run-row.js';
import type { SqliteDatabase } from './sqlite-database.js';
import type { SqliteUser } from './user-table.js';

/** A question with the keys of its row and of its run's. */
export interface StoredApprovalRow extends ApprovalRow {
  key: number;
  run_key: number;
}

/** Of `approvals a`, with its run `r` and its owner `u`. */
export const APPROVAL_COLUMNS = `a.key, a.id, u.id AS user_id, a.run_key, r.id AS run_id, r.thread_id, r.agent, a.step,
  a.created_at, a.expires_at, a.question, a.decision, a.answer, a.decided_by, a.decided_at`;

export const OF_RUN_AND_OWNER =
  'JOIN runs r ON r.key = a.run_key AND r.user_key = a.user_key JOIN users u ON u.key = a.user_key';

/** A question as the writer finds it. */
export type StoredApproval = Pick<StoredApprovalRow, 'key' | 'id' | 'step' | 'question' | 'expires_at'>;

const APPROVAL_QUERIES = {
  open: `
    INSERT INTO approvals (user_key, id, run_key, step, created_at, expires_at, question) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (run_key, step) DO NOTHING`,
  openRole: 'INSERT INTO approval_roles (role, approval_id) VALUES (?, ?) ON CONFLICT DO NOTHING',
  closeRole: 'DELETE FROM approval_roles WHERE role = ? AND approval_id = ?',
  close: `
    UPDATE approvals SET decision = ?, answer = ?, decided_by = ?, decided_at = ? WHERE key = ? AND user_key = ?`,
  byId: `
    SELECT ${APPROVAL_COLUMNS} FROM approvals a INDEXED BY approvals_by_id ${OF_RUN_AND_OWNER} WHERE a.id = ?`,
  decisionOf: `
    SELECT decision FROM approvals INDEXED BY approvals_by_user WHERE user_key = ? AND id = ? AND run_key = ?`,
  openOfRun: `
    SELECT key, id, step, question, expires_at FROM approvals INDEXED BY approvals_by_step
    WHERE run_key = ? AND user_key = ? AND decision IS NULL`,
} as const;

/** The writer's half of `approvals`. */
export class ApprovalTable {
  private readonly statements;

  constructor(database: SqliteDatabase) {
    this.statements = {
      open: database.prepare(APPROVAL_QUERIES.open),
      openRole: database.prepare(APPROVAL_QUERIES.openRole),
      closeRole: database.prepare(APPROVAL_QUERIES.closeRole),
      close: database.prepare(APPROVAL_QUERIES.close),
      byId: database.prepare(APPROVAL_QUERIES.byId),
      decisionOf: database.prepare(APPROVAL_QUERIES.decisionOf),
      openOfRun: database.prepare(APPROVAL_QUERIES.openOfRun),
    };
  }

  /** Opens the question of a step, unless that step has asked before. */
  open(user: SqliteUser, run: LiveRun, step: string, approval: NewApproval, atMs: number): void {
    const { id, approvers, expiresAtMs } = approval;
    const question = storedQuestionOf(approval);
    const { changes } = this.statements.open.run(user.key, id, run.key, step, atMs, expiresAtMs, question);
    if (changes === 1) for (const role of approvers) this.statements.openRole.run(role, id);
  }

  /** A question, whoever owns it: who may see it is for the caller to decide. */
  find(id: ApprovalId): StoredApprovalRow | undefined {
    return this.statements.byId.get(id) as StoredApprovalRow | undefined;
  }

  /** `unknown` also when it is not this run's. */
  stateOf(user: SqliteUser, run: LiveRun, id: ApprovalId): 'open' | 'closed' | 'unknown' {
    const row = this.statements.decisionOf.get(user.key, id, run.key);
    if (!row) return 'unknown';
    return row.decision === null ? 'open' : 'closed';
  }

  openOf(user: SqliteUser, run: LiveRun): StoredApproval[] {
    return this.statements.openOfRun.all(run.key, user.key) as unknown as StoredApproval[];
  }

  close(user: SqliteUser, approval: StoredApproval, { decision, answer, by, atMs }: Verdict): void {
    const text = answer === undefined ? null : JSON.stringify(answer);
    this.statements.close.run(decision, text, by ?? null, atMs, approval.key, user.key);
    for (const role of questionFromRow(approval).approvers) this.statements.closeRole.run(role, approval.id);
  }
}
