import type { ScheduleRecord } from '../../execution/schedule-store.port.js';
import type { ScheduleId, UserId } from '../../shared/ids.js';
import { scheduleFromRow, storedScheduleOf, type ScheduleRow } from '../schedule-row.js';
import { AFTER_ALL } from './run-reader.js';
import type { SqliteDatabase } from './sqlite-database.js';
import type { SqliteUser } from './user-table.js';

const OF_USER = `
  SELECT s.id, u.id AS user_id, s.next_at, s.schedule
  FROM users u JOIN schedules s INDEXED BY schedules_by_user ON s.user_key = u.key WHERE u.id = ?`;

const SCHEDULE_QUERIES = {
  insert: 'INSERT INTO schedules (user_key, id, next_at, schedule) VALUES (?, ?, ?, ?)',
  count: 'SELECT count(*) AS n FROM schedules INDEXED BY schedules_by_user WHERE user_key = ?',
  update: 'UPDATE schedules INDEXED BY schedules_by_user SET next_at = ?, schedule = ? WHERE user_key = ? AND id = ?',
  delete: 'DELETE FROM schedules INDEXED BY schedules_by_user WHERE user_key = ? AND id = ?',
  find: `${OF_USER} AND s.id = ?`,
  list: `${OF_USER} AND s.id < ? ORDER BY s.id DESC LIMIT ?`,
  due: `
    SELECT s.id, u.id AS user_id, s.next_at, s.schedule
    FROM schedules s INDEXED BY schedules_due JOIN users u ON u.key = s.user_key
    WHERE s.next_at IS NOT NULL AND s.next_at <= ? ORDER BY s.next_at LIMIT ?`,
  next: 'SELECT min(next_at) AS at FROM schedules INDEXED BY schedules_due WHERE next_at IS NOT NULL',
} as const;

/** The rows of `schedules`. They are few, and nothing else hangs on them. */
export class ScheduleTable {
  private readonly statements;

  constructor(database: SqliteDatabase) {
    this.statements = {
      insert: database.prepare(SCHEDULE_QUERIES.insert),
      count: database.prepare(SCHEDULE_QUERIES.count),
      update: database.prepare(SCHEDULE_QUERIES.update),
      delete: database.prepare(SCHEDULE_QUERIES.delete),
      find: database.prepare(SCHEDULE_QUERIES.find),
      list: database.prepare(SCHEDULE_QUERIES.list),
      due: database.prepare(SCHEDULE_QUERIES.due),
      next: database.prepare(SCHEDULE_QUERIES.next),
    };
  }

  insert(user: SqliteUser, schedule: ScheduleRecord): void {
    this.statements.insert.run(user.key, schedule.id, schedule.nextAtMs ?? null, storedScheduleOf(schedule));
  }

  count(user: SqliteUser): number {
    return Number(this.statements.count.get(user.key)?.n);
  }

  update(user: SqliteUser, schedule: ScheduleRecord): void {
    this.statements.update.run(schedule.nextAtMs ?? null, storedScheduleOf(schedule), user.key, schedule.id);
  }

  delete(user: SqliteUser, id: ScheduleId): boolean {
    return this.statements.delete.run(user.key, id).changes === 1;
  }

  find(userId: UserId, id: ScheduleId): ScheduleRecord | undefined {
    const row = this.statements.find.get(userId, id);
    return row && scheduleFromRow(row as unknown as ScheduleRow);
  }

  list(
    userId: UserId,
    { limit, cursor = AFTER_ALL }: { limit: number; cursor?: string },
  ): { items: ScheduleRecord[]; nextCursor?: string } {
    const rows = this.statements.list.all(userId, cursor, limit + 1) as unknown as ScheduleRow[];
    const items = rows.slice(0, limit).map(scheduleFromRow);
    return rows.length > limit ? { items, nextCursor: items.at(-1)?.id } : { items };
  }

  due(nowMs: number, limit: number): ScheduleRecord[] {
    return (this.statements.due.all(nowMs, limit) as unknown as ScheduleRow[]).map(scheduleFromRow);
  }

  nextDueMs(): number | undefined {
    const at = this.statements.next.get()?.at;
    return typeof at === 'number' ? at : undefined;
  }
}
