import type { ScheduleRecord, ScheduleRecordChange, ScheduleStore } from '../../execution/schedule-store.port.js';
import { CarrelError } from '../../shared/errors.js';
import type { ScheduleId, UserId } from '../../shared/ids.js';
import { scheduleFromRow, storedScheduleOf, type ScheduleRow } from '../schedule-row.js';
import type { PostgresDatabase } from './postgres-database.js';
import { lockNewUser } from './user-lock.js';

/** Every id sorts before it. */
const AFTER_ALL = '~';

const COLUMNS = 'SELECT user_id, id, next_at, schedule FROM schedules';

const COUNT = { name: 'schedules_count', text: 'SELECT count(*) AS n FROM schedules WHERE user_id = $1' };
const INSERT = {
  name: 'schedules_insert',
  text: 'INSERT INTO schedules (user_id, id, next_at, schedule) VALUES ($1, $2, $3, $4)',
};
const UPDATE = {
  name: 'schedules_update',
  text: 'UPDATE schedules SET next_at = $3, schedule = $4 WHERE user_id = $1 AND id = $2',
};
const DELETE = { name: 'schedules_delete', text: 'DELETE FROM schedules WHERE user_id = $1 AND id = $2 RETURNING id' };
const FIND = { name: 'schedules_find', text: `${COLUMNS} WHERE user_id = $1 AND id = $2` };
const HOLD = { name: 'schedules_hold', text: `${FIND.text} FOR UPDATE` };
const LIST = {
  name: 'schedules_list',
  text: `${COLUMNS} WHERE user_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3`,
};
const DUE = { name: 'schedules_due', text: `${COLUMNS} WHERE next_at <= $1 ORDER BY next_at LIMIT $2` };
const NEXT = { name: 'schedules_next', text: 'SELECT min(next_at) AS at FROM schedules WHERE next_at IS NOT NULL' };

/** The distributed adapter of `ScheduleStore`. */
export class PostgresScheduleStore implements ScheduleStore {
  constructor(private readonly database: PostgresDatabase) {}

  create(userId: UserId, schedule: ScheduleRecord, limit: number): Promise<void> {
    return this.database.transaction(async (connection) => {
      await lockNewUser(connection, userId);
      const [row] = await connection.query<{ n: number }>(COUNT, [userId]);
      if (Number(row?.n) >= limit) {
        const text = `you have ${limit} schedules already, and may have no more: delete one`;
        throw new CarrelError('too_many_schedules', text);
      }
      await connection.query(INSERT, [userId, schedule.id, schedule.nextAtMs ?? null, storedScheduleOf(schedule)]);
    });
  }

  async find(userId: UserId, scheduleId: ScheduleId): Promise<ScheduleRecord | undefined> {
    const [row] = await this.database.query<ScheduleRow>(FIND, [userId, scheduleId]);
    return row && scheduleFromRow(row);
  }

  async list(
    userId: UserId,
    { limit, cursor }: { limit: number; cursor?: string },
  ): Promise<{ items: readonly ScheduleRecord[]; nextCursor?: string }> {
    const rows = await this.database.query<ScheduleRow>(LIST, [userId, cursor ?? AFTER_ALL, limit + 1]);
    const items = rows.slice(0, limit).map(scheduleFromRow);
    return rows.length > limit ? { items, nextCursor: items.at(-1)?.id } : { items };
  }

  change(
    userId: UserId,
    { id, revision }: Pick<ScheduleRecord, 'id' | 'revision'>,
    change: ScheduleRecordChange,
  ): Promise<ScheduleRecord | undefined> {
    return this.database.transaction(async (connection) => {
      const [row] = await connection.query<ScheduleRow>(HOLD, [userId, id]);
      const known = row && scheduleFromRow(row);
      if (known?.revision !== revision) return undefined;
      const changed = { ...known, ...change, revision: revision + 1 };
      const nextAt = changed.nextAtMs ?? null;
      const schedule = storedScheduleOf(changed);
      await connection.query(UPDATE, [userId, id, nextAt, schedule]);
      return scheduleFromRow({ id, user_id: userId, next_at: nextAt, schedule });
    });
  }

  async delete(userId: UserId, scheduleId: ScheduleId): Promise<boolean> {
    return (await this.database.query(DELETE, [userId, scheduleId])).length === 1;
  }

  async due(nowMs: number, limit: number): Promise<readonly ScheduleRecord[]> {
    return (await this.database.query<ScheduleRow>(DUE, [nowMs, limit])).map(scheduleFromRow);
  }

  async nextDueMs(): Promise<number | undefined> {
    const [row] = await this.database.query<{ at: number | null }>(NEXT);
    return row?.at ?? undefined;
  }
}
