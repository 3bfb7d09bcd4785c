import { Inject, Injectable } from '@nestjs/common';
import { CARREL_CONFIG, type CarrelConfig } from '../config/config.js';
import type { UserExecutionContext } from '../context/user-execution-context.js';
import { CLOCK, type Clock } from '../shared/clock.js';
import { CarrelError } from '../shared/errors.js';
import { newId, type ScheduleId } from '../shared/ids.js';
import { DueWork } from './due-work.service.js';
import { RunPreparation } from './run-preparation.service.js';
import type { RunRequest } from './run-request.js';
import {
  SCHEDULE_STORE,
  type ScheduledRequest,
  type ScheduleRecord,
  type ScheduleStore,
} from './schedule-store.port.js';
import {
  changedRequest,
  optionsOf,
  scheduledRequest,
  type ScheduleChange,
  type ScheduleRequest,
} from './schedule-request.js';
import { checkTimes, nextTime, type CronTimes } from './schedule-times.js';
import { ScheduleTurns } from './schedule-turns.js';

/** The caller's recurring runs. */
@Injectable()
export class ScheduleService {
  constructor(
    @Inject(SCHEDULE_STORE) private readonly store: ScheduleStore,
    private readonly preparation: RunPreparation,
    private readonly turns: ScheduleTurns,
    private readonly dueWork: DueWork,
    @Inject(CARREL_CONFIG) private readonly config: CarrelConfig,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /**
   * Its runs are checked as they would be if they were submitted now, and have the caller's roles as they are now.
   *
   * @throws CarrelError `invalid_schedule` | `too_many_schedules`; what `ExecutionService.submit` throws of a bad request
   */
  async create(context: UserExecutionContext, request: ScheduleRequest): Promise<ScheduleRecord> {
    const { userId, roles, claims } = context;
    const options = optionsOf(request, { cron: request.cron, timeZone: 'UTC', missed: 'skip', paused: false });
    const createdAtMs = this.clock.now();
    checkTimes(options, createdAtMs);
    const schedule: ScheduleRecord = {
      id: newId('sch'),
      userId,
      ...options,
      request: await this.checked(context, runRequestOf(request)),
      roles,
      claims,
      createdAtMs,
      revision: 0,
      nextAtMs: this.nextOf(options),
    };
    await this.store.create(userId, schedule, this.config.lane.maxSchedules);
    if (schedule.nextAtMs !== undefined) this.dueWork.lookAgain(schedule.nextAtMs);
    return schedule;
  }

  /** Newest first. */
  list(
    context: UserExecutionContext,
    page: { limit: number; cursor?: string },
  ): Promise<{ items: readonly ScheduleRecord[]; nextCursor?: string }> {
    return this.store.list(context.userId, page);
  }

  /** @throws CarrelError `not_found`, for another user's too */
  async find(context: UserExecutionContext, scheduleId: ScheduleId): Promise<ScheduleRecord> {
    const schedule = await this.store.find(context.userId, scheduleId);
    if (!schedule) throw notFound();
    return schedule;
  }

  /**
   * Changes what is given. Its runs have the caller's roles from now on. One that is resumed goes on with the next time
   * after now, whatever it has missed.
   *
   * @throws CarrelError `not_found`; otherwise what `create` throws
   */
  change(context: UserExecutionContext, scheduleId: ScheduleId, change: ScheduleChange): Promise<ScheduleRecord> {
    const { userId } = context;
    return this.turns.take(userId, scheduleId, async () => {
      for (;;) {
        const changed = await this.changed(context, await this.find(context, scheduleId), change);
        if (!changed) continue; // another process has changed or deleted it meanwhile
        if (changed.nextAtMs !== undefined) this.dueWork.lookAgain(changed.nextAtMs);
        return changed;
      }
    });
  }

  /**
   * It brings no further runs; those it has brought stay.
   *
   * @throws CarrelError `not_found`
   */
  async delete(context: UserExecutionContext, scheduleId: ScheduleId): Promise<void> {
    const { userId } = context;
    const wasThere = await this.turns.take(userId, scheduleId, () => this.store.delete(userId, scheduleId));
    if (!wasThere) throw notFound();
  }

  private async changed(
    context: UserExecutionContext,
    schedule: ScheduleRecord,
    change: ScheduleChange,
  ): Promise<ScheduleRecord | undefined> {
    const { userId, roles, claims } = context;
    const options = optionsOf(change, schedule);
    const hasOtherTimes = options.cron !== schedule.cron || options.timeZone !== schedule.timeZone;
    if (hasOtherTimes) checkTimes(options, this.clock.now());
    const request = changedRequest(schedule.request, change);
    return this.store.change(userId, schedule, {
      ...options,
      ...(request && { request: await this.checked(context, request) }),
      ...((hasOtherTimes || options.paused !== schedule.paused) && { nextAtMs: this.nextOf(options) }),
      roles,
      claims,
    });
  }

  private async checked(context: UserExecutionContext, request: RunRequest): Promise<ScheduledRequest> {
    return scheduledRequest(request, await this.preparation.prepare(context, request));
  }

  private nextOf(options: CronTimes & { paused: boolean }): number | undefined {
    return options.paused ? undefined : nextTime(options, this.clock.now());
  }
}

function runRequestOf({ agent, pipeline, input, threadId, metadata, priority }: ScheduleRequest): RunRequest {
  return { agent, pipeline, input, threadId, metadata, priority };
}

function notFound(): CarrelError {
  return new CarrelError('not_found', 'there is no such schedule');
}
