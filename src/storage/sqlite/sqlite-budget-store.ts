import { dayOf, daysOf } from '../../execution/models/budget-periods.js';
import type {
  BudgetExcess,
  BudgetScope,
  BudgetStore,
  ReservationRequest,
  Spend,
  Spent,
} from '../../execution/models/budget-store.port.js';
import type { Clock } from '../../shared/clock.js';
import { CarrelError } from '../../shared/errors.js';
import type { RunId, UserId } from '../../shared/ids.js';
import type { SqliteTables } from './sqlite-tables.js';

/** Reservations that are settled in one go, between other writes. */
const BATCH = 500;

/** The embedded adapter of `BudgetStore`. */
export class SqliteBudgetStore implements BudgetStore {
  constructor(
    private readonly tables: SqliteTables,
    private readonly clock: Clock,
  ) {}

  reserve(userId: UserId, request: ReservationRequest): Promise<BudgetExcess | undefined> {
    return this.tables.commits.write(() => {
      const { users, runs, spend } = this.tables;
      const user = users.load(userId, this.clock.now());
      const run = runs.findLive(user, request.runId);
      if (run?.status !== 'running') throw new CarrelError('run_closed');
      if (spend.hasReserved(user, request.runId, request.key)) return undefined;
      const excess = spend.excess(user, run.key, request);
      if (!excess) spend.reserve(user, run.key, request);
      return excess;
    });
  }

  settle(
    userId: UserId,
    runId: RunId,
    key: string,
    actual?: Spend,
  ): Promise<Readonly<Record<BudgetScope, Spend>> | undefined> {
    return this.tables.commits.write(() => {
      const { users, spend } = this.tables;
      return spend.settle(users.load(userId, this.clock.now()).key, runId, key, actual);
    });
  }

  async used(userId: UserId, atMs: number): Promise<Readonly<Record<'day' | 'month', Spent>>> {
    const day = dayOf(atMs);
    return this.tables.readOf(userId, ({ spend }) => ({
      day: spend.used(userId, daysOf('day', day)),
      month: spend.used(userId, daysOf('month', day)),
    }));
  }

  async settleAbandoned(beforeMs: number): Promise<number> {
    let settled = 0;
    for (let batch = BATCH; batch === BATCH; settled += batch) {
      batch = await this.tables.commits.write(() => this.tables.spend.settleAbandoned(beforeMs, BATCH));
    }
    return settled;
  }
}
