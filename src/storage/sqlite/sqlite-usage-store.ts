import type { UsageDay, UsageFigures, UsageStore } from '../../execution/usage-store.port.js';
import type { UserId } from '../../shared/ids.js';
import { figuresOf, usageDaysOf, type SpentRow, type UsageRow } from '../usage-row.js';
import type { SqliteTables } from './sqlite-tables.js';

/** The embedded adapter of `UsageStore`. */
export class SqliteUsageStore implements UsageStore {
  constructor(private readonly tables: SqliteTables) {}

  async byAgent(userId: UserId, days: { first: number; last: number }): Promise<ReadonlyMap<string, UsageFigures>> {
    const rows = await this.tables.readOf(userId, ({ usageOfDays }) => usageOfDays.all(userId, days.first, days.last));
    return figuresOf(rows as unknown as UsageRow[]);
  }

  async byDay(userId: UserId, { first, last }: { first: number; last: number }): Promise<readonly UsageDay[]> {
    const [ended, spent] = await this.tables.readOf(userId, ({ usageOfDays, spentOnDays }) => [
      usageOfDays.all(userId, first, last),
      spentOnDays.all(userId, first, last),
    ]);
    return usageDaysOf(ended as unknown as UsageRow[], spent as unknown as SpentRow[]);
  }
}
