import type { UsageFigures, UsageStore } from '../../execution/usage-store.port.js';
import type { UserId } from '../../shared/ids.js';
import { figuresOf, type UsageRow } from '../usage-row.js';
import type { SqliteTables } from './sqlite-tables.js';

/** The embedded adapter of `UsageStore`. */
export class SqliteUsageStore implements UsageStore {
  constructor(private readonly tables: SqliteTables) {}

  async byAgent(userId: UserId, days: { first: number; last: number }): Promise<ReadonlyMap<string, UsageFigures>> {
    const rows = await this.tables.readOf(userId, ({ usageOfDays }) => usageOfDays.all(userId, days.first, days.last));
    return figuresOf(rows as unknown as UsageRow[]);
  }
}
