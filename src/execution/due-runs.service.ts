import { Inject, Injectable } from '@nestjs/common';
import { CARREL_CONFIG, type CarrelConfig } from '../config/config.js';
import { DueWork, type DueSource } from './due-work.service.js';
import { RUN_DISPATCHER, type RunDispatcher } from './run-dispatcher.port.js';
import { RUN_STORE, type RunStore } from './run-store.port.js';

/** In one transaction. */
const BATCH = 100;

/** Delayed runs whose time has come, sleeps that are over and questions that have expired: their runs go on. */
@Injectable()
export class DueRuns implements DueSource {
  constructor(
    @Inject(RUN_STORE) private readonly store: RunStore,
    @Inject(RUN_DISPATCHER) private readonly dispatcher: RunDispatcher,
    @Inject(CARREL_CONFIG) private readonly config: CarrelConfig,
    dueWork: DueWork,
  ) {
    dueWork.register(this);
  }

  nextDueMs(): Promise<number | undefined> {
    return this.store.nextDueMs();
  }

  async carryOut(nowMs: number): Promise<boolean> {
    const { admitted, answered, more } = await this.store.wake(nowMs, BATCH, this.config.lane);
    for (const ref of admitted) await this.dispatcher.dispatch(ref);
    for (const ref of answered) await this.dispatcher.answered(ref);
    return more;
  }
}
