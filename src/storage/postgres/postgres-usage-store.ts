import type { UsageDay, UsageFigures, UsageStore } from '../../execution/usage-store.port.js';
import type { UserId } from '../../shared/ids.js';
import { figuresOf, usageDaysOf, type SpentRow, type UsageRow } from '../usage-row.js';
import type { PostgresDatabase } from './postgres-database.js';

const OF_DAYS = {
  name: 'usage_of_days',
  text: 'SELECT * FROM usage_days WHERE user_id = $1 AND day BETWEEN $2 AND $3',
};
const SPENT_ON_DAYS = {
  name: 'usage_spent_on_days',
  text: 'SELECT day, tokens, micro_usd FROM spend_days WHERE user_id = $1 AND day BETWEEN $2 AND $3',
};

/** The distributed adapter of `UsageStore`. */
export class PostgresUsageStore implements UsageStore {
  constructor(private readonly database: PostgresDatabase) {}

  async byAgent(userId: UserId, days: { first: number; last: number }): Promise<ReadonlyMap<string, UsageFigures>> {
    return figuresOf(await this.database.query<UsageRow>(OF_DAYS, [userId, days.first, days.last]));
  }

  async byDay(userId: UserId, { first, last }: { first: number; last: number }): Promise<readonly UsageDay[]> {
    const ended = await this.database.query<UsageRow>(OF_DAYS, [userId, first, last]);
    return usageDaysOf(ended, await this.database.query<SpentRow>(SPENT_ON_DAYS, [userId, first, last]));
  }
}
