import { Inject, Injectable } from '@nestjs/common';
import { EventBus } from '../events/event-bus.js';
import { isTerminalType } from '../events/run-event.js';
import { CLOCK, type Clock } from '../shared/clock.js';
import type { RunId, UserId } from '../shared/ids.js';
import { Readiness } from './readiness.js';
import { isTerminal } from './run-status.js';
import { RUN_STORE, type RunRecord, type RunStore } from './run-store.port.js';

export interface WaitOptions {
  /** @default no limit */
  timeoutMs?: number;
  signal?: AbortSignal;
}

/** Waits for the ends of runs. */
@Injectable()
export class RunWaiter {
  constructor(
    @Inject(RUN_STORE) private readonly store: RunStore,
    private readonly bus: EventBus,
    private readonly readiness: Readiness,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /**
   * The run as it is at its end, or as it is when the time or the caller's patience (`signal`) is over, or this process
   * stops and the run does not end by that; undefined when there is none.
   */
  async waitForEnd(userId: UserId, runId: RunId, options: WaitOptions): Promise<RunRecord | undefined> {
    const over = Promise.withResolvers<void>();
    const giveUp = () => over.resolve();
    const unsubscribe = this.bus.subscribe(
      userId,
      (event) => {
        if (event.runId === runId && isTerminalType(event.type)) over.resolve();
      },
      () => void this.hasEnded(userId, runId).then((isOver) => isOver && giveUp(), giveUp),
    );
    const cancelTimer = options.timeoutMs === undefined ? undefined : this.clock.after(options.timeoutMs, giveUp);
    const signals = options.signal ? [options.signal, this.readiness.stopped] : [this.readiness.stopped];
    for (const signal of signals) signal.addEventListener('abort', giveUp, { once: true });
    try {
      const run = await this.store.find(userId, runId);
      if (!run || isTerminal(run.status) || signals.some(({ aborted }) => aborted)) return run;
      await over.promise;
      return await this.store.find(userId, runId);
    } finally {
      unsubscribe();
      cancelTimer?.();
      for (const signal of signals) signal.removeEventListener('abort', giveUp);
    }
  }

  private async hasEnded(userId: UserId, runId: RunId): Promise<boolean> {
    const run = await this.store.find(userId, runId);
    return !run || isTerminal(run.status);
  }
}
