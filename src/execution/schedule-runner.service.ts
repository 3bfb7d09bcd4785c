import { Inject, Injectable, Logger } from '@nestjs/common';
import { UserExecutionContext } from '../context/user-execution-context.js';
import { CLOCK, type Clock } from '../shared/clock.js';
import { isCarrelError, type CarrelError } from '../shared/errors.js';
import { newId } from '../shared/ids.js';
import { RunIntake } from './run-intake.service.js';
import { RunPreparation, type PreparedRun } from './run-preparation.service.js';
import { isTerminal } from './run-status.js';
import { RUN_STORE, type RunStore } from './run-store.port.js';
import { SCHEDULE_STORE, type ScheduleRecord, type ScheduleStore } from './schedule-store.port.js';
import { nextTime } from './schedule-times.js';
import { ScheduleTurns } from './schedule-turns.js';

/** A time that is longer ago than this has passed while no server ran. */
const MISSED_AFTER_MS = 60_000;
const MAX_REASON_CHARS = 300;

/**
 * Brings the run of a schedule whose time has come, or records why there is none. Each time brings one run at most: which
 * one is written down before the run is, so that whoever comes after a crash in between knows whether it is there.
 */
@Injectable()
export class ScheduleRunner {
  private readonly logger = new Logger('Schedules');

  constructor(
    @Inject(SCHEDULE_STORE) private readonly store: ScheduleStore,
    @Inject(RUN_STORE) private readonly runs: RunStore,
    private readonly preparation: RunPreparation,
    private readonly intake: RunIntake,
    private readonly turns: ScheduleTurns,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Rejects only when the storage fails: the schedule is still due then. */
  bring({ userId, id, nextAtMs: dueMs }: ScheduleRecord): Promise<void> {
    return this.turns.take(userId, id, async () => {
      const schedule = await this.store.find(userId, id);
      if (dueMs === undefined || schedule?.nextAtMs !== dueMs) return; // it was changed or deleted meanwhile
      await this.bringRun(schedule, dueMs);
    });
  }

  private async bringRun(schedule: ScheduleRecord, dueMs: number): Promise<void> {
    const { userId, lastRunId } = schedule;
    const last = lastRunId && (await this.runs.find(userId, lastRunId));
    const wasBegun = schedule.lastAtMs === dueMs;
    if (wasBegun && last) return this.close(schedule, dueMs, { lastRunId: last.id });
    if (schedule.missed === 'skip' && this.clock.now() - dueMs > MISSED_AFTER_MS) {
      return this.skip(schedule, dueMs, 'no server ran at that time', last?.id);
    }
    if (last && !isTerminal(last.status)) {
      return this.skip(schedule, dueMs, `its last run, ${last.id}, had not ended`, last.id);
    }
    const run = await this.prepare(schedule, dueMs);
    if (typeof run === 'string') return this.skip(schedule, dueMs, run, last?.id);
    const begun = await this.store.change(userId, schedule, {
      lastAtMs: dueMs,
      lastRunId: run.id,
      lastSkipped: undefined,
    });
    if (!begun) return; // another process was faster, or it is not due any more; if it is, it is found again
    try {
      const taken = await this.intake.take(userId, run);
      await this.close(begun, dueMs, { lastRunId: taken.run.id });
    } catch (error) {
      if (!isCarrelError(error)) throw error;
      if (error.code === 'draining') return; // the next process finds it due
      await this.skip(begun, dueMs, reasonOf(error), last?.id);
    }
  }

  /** @returns why there can't be a run, or the run */
  private async prepare(schedule: ScheduleRecord, dueMs: number): Promise<PreparedRun | string> {
    const { id, userId, roles, claims, request } = schedule;
    const context = new UserExecutionContext({
      userId,
      requestId: newId('req'),
      roles,
      claims,
      createdAtMs: this.clock.now(),
    });
    try {
      return await this.preparation.prepare(context, { ...request, idempotencyKey: `${id}@${dueMs}` });
    } catch (error) {
      if (isCarrelError(error)) return reasonOf(error);
      this.logger.error({ err: error, userId, scheduleId: id }, 'the run of a schedule could not be prepared');
      return 'internal: its request could not be checked';
    }
  }

  private async skip(schedule: ScheduleRecord, dueMs: number, why: string, lastRunId: ScheduleRecord['lastRunId']) {
    const { userId, id: scheduleId } = schedule;
    this.logger.warn({ userId, scheduleId, why }, 'a time of a schedule brings no run');
    await this.close(schedule, dueMs, { lastRunId, lastSkipped: why });
  }

  /** This time is over; the next one is awaited. */
  private async close(
    schedule: ScheduleRecord,
    dueMs: number,
    last: Pick<ScheduleRecord, 'lastRunId' | 'lastSkipped'>,
  ): Promise<void> {
    const next = this.nextOf(schedule, dueMs);
    await this.store.change(schedule.userId, schedule, {
      lastSkipped: undefined,
      ...last,
      lastAtMs: dueMs,
      ...next,
    });
  }

  /** One whose times can't be told any more, since this server knows other time zones than the last one, is paused. */
  private nextOf(schedule: ScheduleRecord, dueMs: number): Partial<ScheduleRecord> {
    try {
      return { nextAtMs: nextTime(schedule, Math.max(this.clock.now(), dueMs)) };
    } catch (error) {
      if (!isCarrelError(error)) throw error;
      return { nextAtMs: undefined, paused: true, lastSkipped: reasonOf(error) };
    }
  }
}

function reasonOf({ code, message }: CarrelError): string {
  const text = `${code}: ${message}`;
  return text.length > MAX_REASON_CHARS ? `${text.slice(0, MAX_REASON_CHARS)}…` : text;
}
