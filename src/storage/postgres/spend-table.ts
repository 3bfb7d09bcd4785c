import { dayOf, daysOf, monthOf, type Days } from '../../execution/models/budget-periods.js';
import {
  BUDGET_SCOPES,
  type BudgetExcess,
  type BudgetScope,
  type ReservationRequest,
  type Spend,
  type Spent,
} from '../../execution/models/budget-store.port.js';
import { USAGE_DAYS } from '../../execution/usage-store.port.js';
import type { NodeId, RunId, UserId } from '../../shared/ids.js';
import { excessOf, NO_SUM, spendFromRow, sum, type SumRow } from '../spend-row.js';
import type { Queryable } from './postgres-database.js';

const SUMS = 'coalesce(sum(tokens), 0)::bigint AS tokens, coalesce(sum(micro_usd), 0)::bigint AS micro_usd';

const DAYS = {
  name: 'spend_days',
  text: `SELECT ${SUMS} FROM spend_days WHERE user_id = $1 AND day BETWEEN $2 AND $3`,
};
const OPEN = {
  name: 'spend_open',
  text: `SELECT ${SUMS} FROM reservations WHERE user_id = $1 AND day BETWEEN $2 AND $3`,
};
const RUN = { name: 'spend_run', text: 'SELECT tokens, micro_usd FROM run_spend WHERE user_id = $1 AND run_id = $2' };
const OPEN_OF_RUN = {
  name: 'spend_open_of_run',
  text: `SELECT ${SUMS} FROM reservations WHERE user_id = $1 AND run_id = $2`,
};
const ADOPT = {
  name: 'spend_adopt',
  text: 'UPDATE reservations SET node = $4 WHERE user_id = $1 AND run_id = $2 AND key = $3 RETURNING 1 AS n',
};
const RESERVE = {
  name: 'spend_reserve',
  text: `
    WITH begun AS (
      INSERT INTO run_spend (user_id, run_id, tokens, micro_usd) VALUES ($1, $2, 0, 0) ON CONFLICT DO NOTHING)
    INSERT INTO reservations (user_id, run_id, key, node, day, tokens, micro_usd, at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
};
const TAKE = {
  name: 'spend_take',
  text: `
    DELETE FROM reservations WHERE user_id = $1 AND run_id = $2 AND key = $3 RETURNING day, tokens, micro_usd`,
};
const ADD_TO_RUN = {
  name: 'spend_add_to_run',
  text: `
    UPDATE run_spend SET tokens = tokens + $3, micro_usd = micro_usd + $4 WHERE user_id = $1 AND run_id = $2
    RETURNING tokens, micro_usd`,
};
const ADD_TO_DAY = {
  name: 'spend_add_to_day',
  text: `
    INSERT INTO spend_days AS known (user_id, day, calls, tokens, micro_usd) VALUES ($1, $2, 1, $3, $4)
    ON CONFLICT (user_id, day) DO UPDATE SET
      calls = known.calls + 1, tokens = known.tokens + $3, micro_usd = known.micro_usd + $4
    RETURNING calls, tokens, micro_usd`,
};
const REMOVE_OLD = { name: 'spend_remove_old', text: 'DELETE FROM spend_days WHERE user_id = $1 AND day <= $2' };

/** What one user has spent and reserved, in a transaction that holds the user's lock. */
export class SpendTable {
  constructor(
    private readonly connection: Queryable,
    private readonly userId: UserId,
  ) {}

  /** @returns whether there is such a reservation; from now on it is this node's, which carries on with its run */
  async adopt({ runId, key }: ReservationRequest, node: NodeId): Promise<boolean> {
    return (await this.connection.query(ADOPT, [this.userId, runId, key, node])).length === 1;
  }

  /** The first limit that the request would pass. Only scopes that are limited are looked at. */
  async excess({ runId, estimate, limits, atMs }: ReservationRequest): Promise<BudgetExcess | undefined> {
    for (const scope of BUDGET_SCOPES) {
      if (!limits[scope]) continue;
      const used = scope === 'run' ? await this.usedByRun(runId) : await this.usedIn(daysOf(scope, dayOf(atMs)));
      const excess = excessOf(scope, limits, used, estimate);
      if (excess) return excess;
    }
    return undefined;
  }

  async reserve({ runId, key, estimate, atMs }: ReservationRequest, node: NodeId): Promise<void> {
    const { tokens, microUsd } = estimate;
    await this.connection.query(RESERVE, [this.userId, runId, key, node, dayOf(atMs), tokens, microUsd, atMs]);
  }

  /** @returns what is spent in each scope with this in it; undefined when there is no such reservation */
  async settle(runId: RunId, key: string, actual?: Spend): Promise<Record<BudgetScope, Spend> | undefined> {
    const [taken] = await this.connection.query<SumRow & { day: number }>(TAKE, [this.userId, runId, key]);
    if (!taken) return undefined;
    const cost = actual ?? spendFromRow(taken);
    const amounts = [cost.tokens, cost.microUsd];
    const [run] = await this.connection.query<SumRow>(ADD_TO_RUN, [this.userId, runId, ...amounts]);
    const [day] = await this.connection.query<DayRow>(ADD_TO_DAY, [this.userId, taken.day, ...amounts]);
    if (day?.calls === 1) await this.connection.query(REMOVE_OLD, [this.userId, taken.day - USAGE_DAYS]);
    const month = await sumOf(this.connection, DAYS, this.userId, monthOf(taken.day));
    return { run: run ? spendFromRow(run) : cost, day: spendFromRow(day ?? NO_SUM), month: spendFromRow(month) };
  }

  private async usedByRun(runId: RunId): Promise<Spend> {
    const [run] = await this.connection.query<SumRow>(RUN, [this.userId, runId]);
    const [open] = await this.connection.query<SumRow>(OPEN_OF_RUN, [this.userId, runId]);
    return sum(run ?? NO_SUM, open ?? NO_SUM);
  }

  private async usedIn(days: Days): Promise<Spend> {
    const { userId, connection } = this;
    return sum(await sumOf(connection, DAYS, userId, days), await sumOf(connection, OPEN, userId, days));
  }
}

type DayRow = SumRow & { calls: number };

export async function spentAndReserved(connection: Queryable, userId: UserId, days: Days): Promise<Spent> {
  return {
    spent: spendFromRow(await sumOf(connection, DAYS, userId, days)),
    reserved: spendFromRow(await sumOf(connection, OPEN, userId, days)),
  };
}

async function sumOf(connection: Queryable, of: typeof DAYS, userId: UserId, days: Days): Promise<SumRow> {
  const [row] = await connection.query<SumRow>(of, [userId, days.first, days.last]);
  return row ?? NO_SUM;
}
