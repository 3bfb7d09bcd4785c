import type { ApprovalRecord } from '../../events/approval-record.js';
import type { JournalledEvent } from '../../events/run-event.js';
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
import { hasNamedRole } from './approval-reader.js';
import { resolveApproval, resumeRun } from '../approval-resolution.js';
import { approvalFromRow, type ApprovalRow } from '../approval-row.js';
import { admitNext } from '../lane.js';
import type { SqliteTables } from './sqlite-tables.js';

/** The embedded adapter of `ApprovalStore`. */
export class SqliteApprovalStore implements ApprovalStore {
  constructor(
    private readonly tables: SqliteTables,
    private readonly clock: Clock,
  ) {}

  async find(decider: Decider, approvalId: ApprovalId): Promise<ApprovalRecord | undefined> {
    return this.tables.read(({ approvalReader }) => approvalReader.find(decider, approvalId, this.clock.now()));
  }

  async list(
    decider: Decider,
    filter: ApprovalFilter,
    page: { limit: number; cursor?: string },
  ): Promise<ApprovalPage> {
    return this.tables.read(({ approvalReader }) => approvalReader.list(decider, filter, page, this.clock.now()));
  }

  decide(decider: Decider, approvalId: ApprovalId, decision: Decision, limits: LaneLimits): Promise<DecisionOutcome> {
    return this.tables.commits.write((journalled): DecisionOutcome => {
      const row = this.tables.approvals.find(approvalId);
      if (!row) return { outcome: 'not_found' };
      const approval = approvalFromRow(row, this.clock.now());
      const isOwner = approval.userId === decider.userId;
      const mayDecide = approval.approvers.length === 0 ? isOwner : hasNamedRole(decider, approval);
      if (!isOwner && !mayDecide) return { outcome: 'not_found' };
      if (approval.decision !== undefined) return { outcome: 'closed', approval };
      if (!mayDecide) return { outcome: 'forbidden', approval };
      return this.settle(row, { ...decision, decidedBy: decider.userId }, limits, journalled);
    });
  }

  private settle(
    row: ApprovalRow,
    answer: Decision & { decidedBy: UserId },
    limits: LaneLimits,
    journalled: JournalledEvent[],
  ): DecisionOutcome {
    const { users, runs } = this.tables;
    const nowMs = this.clock.now();
    const owner = users.load(row.user_id as UserId, nowMs);
    const run = runs.findLive(owner, row.run_id as RunId);
    if (!run) throw new Error(`${row.id} is open, but its run has ended`);
    resolveApproval(this.tables, owner, run, { approval: row, answer, atMs: nowMs }, journalled);
    const running = run.status === 'running';
    if (run.status === 'suspended') resumeRun(this.tables, owner, run, nowMs);
    const { decision, answer: given, decidedBy } = answer;
    const decided: ApprovalRow = {
      ...row,
      decision,
      answer: given === undefined ? null : JSON.stringify(given),
      decided_by: decidedBy,
      decided_at: nowMs,
    };
    const admitted = admitNext(owner, limits, runs);
    return { outcome: 'decided', approval: approvalFromRow(decided, nowMs), admitted, running };
  }
}
