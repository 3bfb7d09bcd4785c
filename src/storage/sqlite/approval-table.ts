import type { ApprovalDecision, NewApproval } from '../../events/approval-record.js';
import type { ApprovalId, UserId } from '../../shared/ids.js';
import type { JsonValue } from '../../shared/json.js';
import {
  APPROVAL_COLUMNS,
  OF_RUN_AND_OWNER,
  questionFromRow,
  storedQuestionOf,
  type ApprovalRow,
} from '../approval-row.js';
import type { LiveRun } from '../run-row.js';
import type { SqliteDatabase } from './sqlite-database.js';
import type { UserState } from './user-table.js';

/** How a question is closed. */
export interface Verdict {
  decision: ApprovalDecision;
  answer?: JsonValue;
  by?: UserId;
  atMs: number;
}

/** A question as the writer finds it. */
export type OpenApproval = Pick<ApprovalRow, 'key' | 'id' | 'step' | 'question' | 'expires_at'>;

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
  open(user: UserState, run: LiveRun, step: string, approval: NewApproval, atMs: number): void {
    const { id, approvers, expiresAtMs } = approval;
    const question = storedQuestionOf(approval);
    const { changes } = this.statements.open.run(user.key, id, run.key, step, atMs, expiresAtMs, question);
    if (changes === 1) for (const role of approvers) this.statements.openRole.run(role, id);
  }

  /** A question, whoever owns it: who may see it is for the caller to decide. */
  find(id: ApprovalId): ApprovalRow | undefined {
    return this.statements.byId.get(id) as ApprovalRow | undefined;
  }

  /** `unknown` also when it is not this run's. */
  stateOf(user: UserState, run: LiveRun, id: ApprovalId): 'open' | 'closed' | 'unknown' {
    const row = this.statements.decisionOf.get(user.key, id, run.key);
    if (!row) return 'unknown';
    return row.decision === null ? 'open' : 'closed';
  }

  openOf(user: UserState, run: LiveRun): OpenApproval[] {
    return this.statements.openOfRun.all(run.key, user.key) as unknown as OpenApproval[];
  }

  close(user: UserState, approval: OpenApproval, { decision, answer, by, atMs }: Verdict): void {
    const text = answer === undefined ? null : JSON.stringify(answer);
    this.statements.close.run(decision, text, by ?? null, atMs, approval.key, user.key);
    for (const role of questionFromRow(approval).approvers) this.statements.closeRole.run(role, approval.id);
  }
}
