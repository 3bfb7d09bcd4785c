import type { ApprovalRecord } from '../../events/approval-record.js';
import type {
  ApprovalFilter,
  ApprovalPage,
  ApprovalStore,
  Decider,
  Decision,
  DecisionOutcome,
} from '../../execution/approval-store.port.js';
import type { LaneLimits } from '../../execution/lane.js';
import type { Clock } from '../../shared/clock.js';
import type { ApprovalId, RunId, UserId } from '../../shared/ids.js';
import { decideApproval, maySee } from '../approval-decision.js';
import { approvalFromRow, type ApprovalRow } from '../approval-row.js';
import type { PostgresCommits } from './postgres-commits.js';
import type { PostgresDatabase } from './postgres-database.js';
import { AFTER_ALL } from './postgres-run-reader.js';

const COLUMNS = `a.id, a.user_id, a.run_id, r.thread_id, r.agent, a.step, a.created_at, a.expires_at, a.question,
  a.decision, a.answer, a.decided_by, a.decided_at`;
const OF_RUN = 'JOIN runs r ON r.user_id = a.user_id AND r.id = a.run_id';
const OWN = `SELECT ${COLUMNS} FROM approvals a ${OF_RUN} WHERE a.user_id = $1 AND a.id < $2`;

const BY_ID = { name: 'approval_by_id', text: `SELECT ${COLUMNS} FROM approvals a ${OF_RUN} WHERE a.id = $1` };
const OWN_ALL = { name: 'approvals_own', text: `${OWN} ORDER BY a.id DESC LIMIT $3` };
const OWN_OPEN = {
  name: 'approvals_own_open',
  text: `${OWN} AND a.decision IS NULL AND a.expires_at > $4 ORDER BY a.id DESC LIMIT $3`,
};
/** A run asks few things. */
const OF_ONE_RUN = { name: 'approvals_of_run', text: `${OWN} AND a.run_id = $3` };
const OPEN_FOR_ROLES = {
  name: 'approvals_for_roles',
  text: `
    SELECT ${COLUMNS}
    FROM unnest($1::text[]) AS asked (role) CROSS JOIN LATERAL (
        SELECT o.user_id, o.approval_id FROM approval_roles o
        WHERE o.role = asked.role AND o.approval_id < $2 ORDER BY o.approval_id DESC LIMIT $3
      ) o
      JOIN approvals a ON a.user_id = o.user_id AND a.id = o.approval_id ${OF_RUN}
    WHERE a.expires_at > $4`,
};

/** The distributed adapter of `ApprovalStore`. */
export class PostgresApprovalStore implements ApprovalStore {
  constructor(
    private readonly database: PostgresDatabase,
    private readonly commits: PostgresCommits,
    private readonly clock: Clock,
  ) {}

  async find(decider: Decider, approvalId: ApprovalId): Promise<ApprovalRecord | undefined> {
    const row = await this.byId(approvalId);
    const approval = row && approvalFromRow(row, this.clock.now());
    return approval && maySee(decider, approval) ? approval : undefined;
  }

  async list(
    { userId, roles }: Decider,
    { open, runId }: ApprovalFilter,
    { limit, cursor = AFTER_ALL }: { limit: number; cursor?: string },
  ): Promise<ApprovalPage> {
    const nowMs = this.clock.now();
    if (runId !== undefined) return pageOf(await this.ofRun(userId, runId, { open, cursor, nowMs }), limit, nowMs);
    const own = open
      ? await this.database.query<ApprovalRow>(OWN_OPEN, [userId, cursor, limit + 1, nowMs])
      : await this.database.query<ApprovalRow>(OWN_ALL, [userId, cursor, limit + 1]);
    const forRoles =
      roles.length === 0
        ? []
        : await this.database.query<ApprovalRow>(OPEN_FOR_ROLES, [[...new Set(roles)], cursor, limit + 1, nowMs]);
    // one that names two of the roles is there twice
    const rows = new Map([...own, ...forRoles].map((row) => [row.id, row]));
    return pageOf([...rows.values()], limit, nowMs);
  }

  /** Whose it is never changes: the decision is made among the owner's, as they are then. */
  async decide(
    decider: Decider,
    approvalId: ApprovalId,
    decision: Decision,
    limits: LaneLimits,
  ): Promise<DecisionOutcome> {
    const row = await this.byId(approvalId);
    if (!row) return { outcome: 'not_found' };
    const [userId, runId] = [row.user_id as UserId, row.run_id as RunId];
    const decided = await this.commits.write({ userId }, (tables, journalled) => {
      const known = tables.users.load(userId).questions.get(runId);
      const isOpen = known?.some(({ id, isOpen: open }) => id === approvalId && open) ?? false;
      // it was closed since it was read: how, it says itself
      if (row.decision === null && !isOpen) return undefined;
      const verdict = { decider, decision, limits, nowMs: this.clock.now() };
      return decideApproval(tables, row, verdict, journalled);
    });
    return decided ?? this.decide(decider, approvalId, decision, limits);
  }

  private async byId(approvalId: ApprovalId): Promise<ApprovalRow | undefined> {
    return (await this.database.query<ApprovalRow>(BY_ID, [approvalId]))[0];
  }

  /** Of a run of the decider's own. */
  private async ofRun(
    userId: UserId,
    runId: RunId,
    { open, cursor, nowMs }: { open: boolean; cursor: string; nowMs: number },
  ): Promise<ApprovalRow[]> {
    const rows = await this.database.query<ApprovalRow>(OF_ONE_RUN, [userId, cursor, runId]);
    return open ? rows.filter(({ decision, expires_at }) => decision === null && expires_at > nowMs) : rows;
  }
}

function pageOf(rows: readonly ApprovalRow[], limit: number, nowMs: number): ApprovalPage {
  const newest = rows.toSorted((a, b) => (a.id < b.id ? 1 : -1));
  const items = newest.slice(0, limit).map((row) => approvalFromRow(row, nowMs));
  return newest.length > limit ? { items, nextCursor: items.at(-1)?.id } : { items };
}
