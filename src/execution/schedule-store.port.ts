import type { PipelineSpec } from './pipeline/pipeline-spec.js';
import type { RunId, ScheduleId, ThreadId, UserId } from '../shared/ids.js';
import type { JsonObject, JsonValue } from '../shared/json.js';

export const SCHEDULE_STORE = Symbol('SCHEDULE_STORE');

/** What a schedule starts. */
export interface ScheduledRequest {
  agent?: string;
  pipeline?: string | PipelineSpec;
  input: JsonValue;
  threadId?: ThreadId;
  metadata: JsonObject;
  priority: number;
}

/** A recurring run of one user. All moments are milliseconds since the Unix epoch. */
export interface ScheduleRecord {
  id: ScheduleId;
  userId: UserId;
  /** Five fields, or six with seconds first. */
  cron: string;
  /** IANA name, e.g. `Europe/Berlin`. */
  timeZone: string;
  /** What becomes of times that passed while no server ran: nothing, or one run for all of them. */
  missed: 'skip' | 'run_once';
  paused: boolean;
  request: ScheduledRequest;
  /** Of the user when it was made or last changed: its runs have these. */
  roles: readonly string[];
  /** Those of its owner's token that placeholders of `mcp.json` ask for, as they were then. */
  claims?: Readonly<Record<string, string>>;
  createdAtMs: number;
  /** How often it was changed. */
  revision: number;
  /** Undefined when it is paused, or has no more times. */
  nextAtMs?: number;
  lastAtMs?: number;
  lastRunId?: RunId;
  /** Why the last time brought no run, if so. */
  lastSkipped?: string;
}

export type ScheduleRecordChange = Partial<Omit<ScheduleRecord, 'id' | 'userId' | 'createdAtMs' | 'revision'>>;

/** The users' recurring runs. Every method takes the user first, except for the one that asks who is due. */
export interface ScheduleStore {
  /** @throws CarrelError `too_many_schedules` when the user has `limit` of them */
  create(userId: UserId, schedule: ScheduleRecord, limit: number): Promise<void>;

  find(userId: UserId, scheduleId: ScheduleId): Promise<ScheduleRecord | undefined>;

  /** Newest first. */
  list(
    userId: UserId,
    page: { limit: number; cursor?: string },
  ): Promise<{ items: readonly ScheduleRecord[]; nextCursor?: string }>;

  /**
   * Changes the schedule that the caller has read: nobody's change is overwritten unseen, whichever process it came from.
   *
   * @returns the record as it is now; undefined when there is none, or it was changed since
   */
  change(
    userId: UserId,
    schedule: Pick<ScheduleRecord, 'id' | 'revision'>,
    change: ScheduleRecordChange,
  ): Promise<ScheduleRecord | undefined>;

  /** @returns false when there was none */
  delete(userId: UserId, scheduleId: ScheduleId): Promise<boolean>;

  /** Schedules of all users whose time has come, the oldest first. */
  due(nowMs: number, limit: number): Promise<readonly ScheduleRecord[]>;

  /** The earliest `nextAtMs` of all; undefined when there is none. */
  nextDueMs(): Promise<number | undefined>;
}
