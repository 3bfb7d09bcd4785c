import { Inject, Injectable } from '@nestjs/common';
import { DueWork, type DueSource } from './due-work.service.js';
import { ScheduleRunner } from './schedule-runner.service.js';
import { SCHEDULE_STORE, type ScheduleStore } from './schedule-store.port.js';

/** At once; they share their commits. */
const BATCH = 50;

/** Schedules whose time has come. */
@Injectable()
export class DueSchedules implements DueSource {
  constructor(
    @Inject(SCHEDULE_STORE) private readonly store: ScheduleStore,
    private readonly runner: ScheduleRunner,
    dueWork: DueWork,
  ) {
    dueWork.register(this);
  }

  nextDueMs(): Promise<number | undefined> {
    return this.store.nextDueMs();
  }

  async carryOut(nowMs: number): Promise<boolean> {
    const due = await this.store.due(nowMs, BATCH);
    const brought = await Promise.allSettled(due.map((schedule) => this.runner.bring(schedule)));
    for (const one of brought) if (one.status === 'rejected') throw one.reason;
    return due.length === BATCH;
  }
}
