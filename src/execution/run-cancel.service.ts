import { Inject, Injectable } from '@nestjs/common';
import { CARREL_CONFIG, type CarrelConfig } from '../config/config.js';
import { draftEvent } from '../events/run-event.js';
import { CLOCK, type Clock } from '../shared/clock.js';
import { CarrelError } from '../shared/errors.js';
import type { RunId, UserId } from '../shared/ids.js';
import { RunMeter } from './metrics/run-meter.service.js';
import { RUN_DISPATCHER, type RunDispatcher } from './run-dispatcher.port.js';
import { RUN_STORE, type RunRecord, type RunStore } from './run-store.port.js';

/** Cancels runs: records the wish, tells whoever carries the run out, and dispatches what is admitted by it. */
@Injectable()
export class RunCancel {
  constructor(
    @Inject(RUN_STORE) private readonly store: RunStore,
    @Inject(RUN_DISPATCHER) private readonly dispatcher: RunDispatcher,
    private readonly meter: RunMeter,
    @Inject(CARREL_CONFIG) private readonly config: CarrelConfig,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /**
   * One that waits, in line or suspended, has ended when this resolves; one that runs has been told to stop.
   *
   * @param by as its owner is told
   * @throws CarrelError `not_found` | `run_ended`
   */
  async cancel(userId: UserId, runId: RunId, by: string): Promise<{ run: RunRecord; hasEnded: boolean }> {
    const closing = (run: RunRecord) => this.cancelledEvent(run, by);
    const request = await this.store.requestCancel(userId, runId, by, closing, this.config.lane);
    switch (request.outcome) {
      case 'not_found':
        throw new CarrelError('not_found', 'there is no such run');
      case 'already_ended':
        throw new CarrelError('run_ended', `the run has already ended (${request.run.status})`);
      case 'cancelled':
        this.meter.cancelledWaiting(request.run);
        for (const ref of request.admitted) await this.dispatcher.dispatch(ref);
        return { run: request.run, hasEnded: true };
      case 'requested':
        await this.dispatcher.cancel({ userId, runId }, by);
        return { run: request.run, hasEnded: false };
    }
  }

  private cancelledEvent(run: RunRecord, by: string) {
    const now = this.clock.now();
    const facts = { attempt: run.attempt, atMs: now };
    return draftEvent('agent_cancelled', { by, forced: false, durationMs: now - (run.startedAtMs ?? now) }, facts);
  }
}
