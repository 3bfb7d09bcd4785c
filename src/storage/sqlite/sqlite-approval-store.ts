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
import type { ApprovalId } from '../../shared/ids.js';
import { decideApproval } from '../approval-decision.js';
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
    return this.tables.commits.write((journalled) => {
      const verdict = { decider, decision, limits, nowMs: this.clock.now() };
      return decideApproval(this.tables, this.tables.approvals.find(approvalId), verdict, journalled);
    });
  }
}
