import { dayOf, daysOf } from '../../execution/models/budget-periods.js';
import type {
  BudgetExcess,
  BudgetScope,
  BudgetStore,
  ReservationRequest,
  Spend,
  Spent,
} from '../../execution/models/budget-store.port.js';
import type { NodeIdentity } from '../../execution/node-identity.js';
import { CarrelError } from '../../shared/errors.js';
import type { RunId, UserId } from '../../shared/ids.js';
import type { PostgresDatabase } from './postgres-database.js';
import { NODE_LIVES } from './postgres-nodes.js';
import { spentAndReserved, SpendTable } from './spend-table.js';
import { lockUser } from './user-lock.js';

const STATUS = { name: 'budget_run_status', text: 'SELECT status FROM runs WHERE user_id = $1 AND id = $2' };
/** By the clock of the database: those of nodes differ. */
const ABANDONED = {
  name: 'budget_abandoned',
  text: `
    SELECT user_id, run_id, key FROM reservations r
    WHERE at < $1 AND NOT EXISTS (
      SELECT 1 FROM nodes WHERE id = r.node AND ${NODE_LIVES})
    ORDER BY at LIMIT $2`,
};

/** Reservations that are looked at in one go. */
const BATCH = 500;

/** The distributed adapter of `BudgetStore`. What a node has reserved counts as spent when that node is dead. */
export class PostgresBudgetStore implements BudgetStore {
  /** @param node this process */
  constructor(
    private readonly database: PostgresDatabase,
    private readonly node: Pick<NodeIdentity, 'id'>,
  ) {}

  reserve(userId: UserId, request: ReservationRequest): Promise<BudgetExcess | undefined> {
    return this.database.transaction(async (connection) => {
      await lockUser(connection, userId);
      const [run] = await connection.query<{ status: string }>(STATUS, [userId, request.runId]);
      if (run?.status !== 'running') throw new CarrelError('run_closed');
      const spend = new SpendTable(connection, userId);
      if (await spend.adopt(request, this.node.id)) return undefined;
      const excess = await spend.excess(request);
      if (!excess) await spend.reserve(request, this.node.id);
      return excess;
    });
  }

  settle(
    userId: UserId,
    runId: RunId,
    key: string,
    actual?: Spend,
  ): Promise<Readonly<Record<BudgetScope, Spend>> | undefined> {
    return this.database.transaction(async (connection) => {
      await lockUser(connection, userId);
      return new SpendTable(connection, userId).settle(runId, key, actual);
    });
  }

  async used(userId: UserId, atMs: number): Promise<Readonly<Record<'day' | 'month', Spent>>> {
    const day = dayOf(atMs);
    return {
      day: await spentAndReserved(this.database, userId, daysOf('day', day)),
      month: await spentAndReserved(this.database, userId, daysOf('month', day)),
    };
  }

  async settleAbandoned(beforeMs: number): Promise<number> {
    for (let settled = 0; ;) {
      const rows = await this.database.query<{ user_id: UserId; run_id: RunId; key: string }>(ABANDONED, [
        beforeMs,
        BATCH,
      ]);
      for (const [userId, ofUser] of Map.groupBy(rows, (row) => row.user_id)) {
        settled += await this.settleAll(userId, ofUser);
      }
      if (rows.length < BATCH) return settled;
    }
  }

  /** Several nodes may do so at once: each reservation is settled by one of them. */
  private settleAll(userId: UserId, calls: readonly { run_id: RunId; key: string }[]): Promise<number> {
    return this.database.transaction(async (connection) => {
      await lockUser(connection, userId);
      const spend = new SpendTable(connection, userId);
      let settled = 0;
      for (const { run_id, key } of calls) if (await spend.settle(run_id, key)) settled += 1;
      return settled;
    });
  }
}
