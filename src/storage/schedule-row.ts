import type { ScheduleRecord } from '../execution/schedule-store.port.js';
import type { ScheduleId, UserId } from '../shared/ids.js';
import { parsed } from './run-row.js';

/** The column `schedule`: everything else. */
type StoredSchedule = Omit<ScheduleRecord, 'id' | 'userId' | 'nextAtMs' | 'revision'> & { revision?: number };

export interface ScheduleRow {
  id: string;
  user_id: string;
  next_at: number | null;
  schedule: string;
}

export function storedScheduleOf(schedule: ScheduleRecord): string {
  const { id: _, userId: __, nextAtMs: ___, ...rest } = schedule;
  return JSON.stringify(rest satisfies StoredSchedule);
}

/** @throws CarrelError `internal` when the row can't be read */
export function scheduleFromRow(row: ScheduleRow): ScheduleRecord {
  const stored = parsed(row.schedule, row.id) as StoredSchedule;
  return {
    id: row.id as ScheduleId,
    userId: row.user_id as UserId,
    ...stored,
    revision: stored.revision ?? 0, // before changes were counted
    ...(row.next_at === null ? {} : { nextAtMs: row.next_at }),
  };
}
