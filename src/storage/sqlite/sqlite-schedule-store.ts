import type { ScheduleRecord, ScheduleRecordChange, ScheduleStore } from '../../execution/schedule-store.port.js';
import type { Clock } from '../../shared/clock.js';
import { CarrelError } from '../../shared/errors.js';
import type { ScheduleId, UserId } from '../../shared/ids.js';
import type { SqliteTables } from './sqlite-tables.js';

/** The embedded adapter of `ScheduleStore`. */
export class SqliteScheduleStore implements ScheduleStore {
  constructor(
    private readonly tables: SqliteTables,
    private readonly clock: Clock,
  ) {}

  create(userId: UserId, schedule: ScheduleRecord, limit: number): Promise<void> {
    return this.tables.commits.write(() => {
      const { users, schedules } = this.tables;
      const user = users.load(userId, this.clock.now());
      if (schedules.count(user) >= limit) {
        const text = `you have ${limit} schedules already, and may have no more: delete one`;
        throw new CarrelError('too_many_schedules', text);
      }
      users.store(user);
      schedules.insert(user, schedule);
    });
  }

  async find(userId: UserId, scheduleId: ScheduleId): Promise<ScheduleRecord | undefined> {
    return this.tables.read(({ schedules }) => schedules.find(userId, scheduleId));
  }

  async list(
    userId: UserId,
    page: { limit: number; cursor?: string },
  ): Promise<{ items: readonly ScheduleRecord[]; nextCursor?: string }> {
    return this.tables.read(({ schedules }) => schedules.list(userId, page));
  }

  change(
    userId: UserId,
    { id, revision }: Pick<ScheduleRecord, 'id' | 'revision'>,
    change: ScheduleRecordChange,
  ): Promise<ScheduleRecord | undefined> {
    return this.tables.commits.write(() => {
      const { users, schedules } = this.tables;
      const known = schedules.find(userId, id);
      if (known?.revision !== revision) return undefined;
      schedules.update(users.load(userId, this.clock.now()), { ...known, ...change, revision: revision + 1 });
      return schedules.find(userId, id);
    });
  }

  delete(userId: UserId, scheduleId: ScheduleId): Promise<boolean> {
    return this.tables.commits.write(() => {
      const { users, schedules } = this.tables;
      return schedules.delete(users.load(userId, this.clock.now()), scheduleId);
    });
  }

  async due(nowMs: number, limit: number): Promise<readonly ScheduleRecord[]> {
    return this.tables.read(({ schedules }) => schedules.due(nowMs, limit));
  }

  async nextDueMs(): Promise<number | undefined> {
    return this.tables.read(({ schedules }) => schedules.nextDueMs());
  }
}
