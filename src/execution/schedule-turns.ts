import { Injectable } from '@nestjs/common';
import type { ScheduleId, UserId } from '../shared/ids.js';

/** Whoever reads a schedule and then changes it does so in turn, so that nobody's change is overwritten unseen. */
@Injectable()
export class ScheduleTurns {
  private readonly last = new Map<string, Promise<unknown>>();

  async take<Result>(userId: UserId, scheduleId: ScheduleId, work: () => Promise<Result>): Promise<Result> {
    const key = `${userId} ${scheduleId}`;
    const turn = (this.last.get(key) ?? Promise.resolve()).then(work);
    const settled = turn.catch(() => undefined);
    this.last.set(key, settled);
    try {
      return await turn;
    } finally {
      if (this.last.get(key) === settled) this.last.delete(key);
    }
  }
}
