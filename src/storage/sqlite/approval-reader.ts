import type { ApprovalRecord } from '../../events/approval-record.js';
import type { ApprovalFilter, ApprovalPage, Decider } from '../../execution/approval-store.port.js';
import type { ApprovalId, RunId, UserId } from '../../shared/ids.js';
import { maySee } from '../approval-decision.js';
import { approvalFromRow, type ApprovalRow } from '../approval-row.js';
import { APPROVAL_COLUMNS, OF_RUN_AND_OWNER } from './approval-table.js';
import { AFTER_ALL } from './run-reader.js';
import type { SqliteDatabase } from './sqlite-database.js';

const OWN = (index: string) => `
  SELECT ${APPROVAL_COLUMNS} FROM approvals a INDEXED BY ${index} ${OF_RUN_AND_OWNER}
  WHERE a.user_key = (SELECT key FROM users WHERE id = ?) AND a.id < ?`;

const APPROVAL_LISTS = {
  byId: `SELECT ${APPROVAL_COLUMNS} FROM approvals a INDEXED BY approvals_by_id ${OF_RUN_AND_OWNER} WHERE a.id = ?`,
  own: `${OWN('approvals_by_user')} ORDER BY a.id DESC LIMIT ?`,
  ownOpen: `${OWN('approvals_open')} AND a.decision IS NULL AND a.expires_at > ? ORDER BY a.id DESC LIMIT ?`,
  /** In no order: a run asks few things. */
  ofRun: `
    SELECT ${APPROVAL_COLUMNS} FROM approvals a INDEXED BY approvals_by_step ${OF_RUN_AND_OWNER}
    WHERE a.run_key = (SELECT key FROM runs WHERE user_key = (SELECT key FROM users WHERE id = ?) AND id = ?)
      AND a.id < ?`,
  openForRole: `
    SELECT ${APPROVAL_COLUMNS}
    FROM approval_roles o CROSS JOIN approvals a INDEXED BY approvals_by_id ON a.id = o.approval_id ${OF_RUN_AND_OWNER}
    WHERE o.role = ? AND o.approval_id < ? AND a.expires_at > ? ORDER BY o.approval_id DESC LIMIT ?`,
} as const;

/** What can be asked about questions. */
export class ApprovalReader {
  private readonly statements;

  constructor(database: SqliteDatabase) {
    this.statements = {
      byId: database.prepare(APPROVAL_LISTS.byId),
      own: database.prepare(APPROVAL_LISTS.own),
      ownOpen: database.prepare(APPROVAL_LISTS.ownOpen),
      ofRun: database.prepare(APPROVAL_LISTS.ofRun),
      openForRole: database.prepare(APPROVAL_LISTS.openForRole),
    };
  }

  find(decider: Decider, id: ApprovalId, nowMs: number): ApprovalRecord | undefined {
    const row = this.statements.byId.get(id) as ApprovalRow | undefined;
    const approval = row && approvalFromRow(row, nowMs);
    return approval && maySee(decider, approval) ? approval : undefined;
  }

  list(
    decider: Decider,
    { open, runId }: ApprovalFilter,
    { limit, cursor = AFTER_ALL }: { limit: number; cursor?: string },
    nowMs: number,
  ): ApprovalPage {
    const { userId, roles } = decider;
    if (runId !== undefined) return pageOf(this.ofRun(userId, runId, { open, cursor, nowMs }), limit, nowMs);
    const own = open
      ? this.statements.ownOpen.all(userId, cursor, nowMs, limit + 1)
      : this.statements.own.all(userId, cursor, limit + 1);
    const forRoles = [...new Set(roles)].flatMap((role) =>
      this.statements.openForRole.all(role, cursor, nowMs, limit + 1),
    );
    // one that names two of the roles is there twice
    const rows = new Map(([...own, ...forRoles] as unknown as ApprovalRow[]).map((row) => [row.id, row]));
    return pageOf([...rows.values()], limit, nowMs);
  }

  /** Of a run of the decider's own. */
  private ofRun(
    userId: UserId,
    runId: RunId,
    { open, cursor, nowMs }: { open: boolean; cursor: string; nowMs: number },
  ): ApprovalRow[] {
    const rows = this.statements.ofRun.all(userId, runId, cursor) as unknown as ApprovalRow[];
    return open ? rows.filter(({ decision, expires_at }) => decision === null && expires_at > nowMs) : rows;
  }
}

function pageOf(rows: readonly ApprovalRow[], limit: number, nowMs: number): ApprovalPage {
  const newest = rows.toSorted((a, b) => (a.id < b.id ? 1 : -1));
  const items = newest.slice(0, limit).map((row) => approvalFromRow(row, nowMs));
  return newest.length > limit ? { items, nextCursor: items.at(-1)?.id } : { items };
}
