import { Inject, Injectable, Logger } from '@nestjs/common';
import { CARREL_CONFIG, type CarrelConfig } from '../config/config.js';
import type { ReservedSlot, RunConsumer, RunDispatcher } from '../execution/run-dispatcher.port.js';
import type { ClaimedRun, RunRef } from '../execution/run-store.port.js';
import type { UserId } from '../shared/ids.js';
import { runInLogScope } from '../shared/log-scope.js';

/**
 * Carries admitted runs to this very process. Users take turns: whoever was served last goes to the end of the line, so
 * that no user waits for more than one run of each other user. Admission bounds what can be in line.
 */
@Injectable()
export class InProcessDispatcher implements RunDispatcher {
  private readonly logger = new Logger(InProcessDispatcher.name);
  /** In the order of the turns: the first user is served next. */
  private readonly line = new Map<UserId, RunRef[]>();
  private waiting = 0;
  /** Slots that are taken, those included that are kept for a run that is being submitted. */
  private running = 0;
  private reserved = 0;
  private readonly noneReserved = Promise.withResolvers<void>();
  private consumer: RunConsumer | undefined;
  private readonly slots: number;

  constructor(@Inject(CARREL_CONFIG) config: CarrelConfig) {
    this.slots = config.runs.slots;
  }

  async start(consumer: RunConsumer): Promise<void> {
    this.consumer = consumer;
    this.fillSlots();
  }

  async dispatch(ref: RunRef): Promise<void> {
    const own = this.line.get(ref.userId);
    if (own) own.push(ref);
    else this.line.set(ref.userId, [ref]);
    this.waiting++;
    this.fillSlots();
  }

  reserve(): ReservedSlot | undefined {
    const { consumer } = this;
    if (!consumer || this.running >= this.slots || this.waiting > 0) return undefined;
    this.running++;
    this.reserved++;
    return {
      begin: (run) => {
        this.untilItEnds(consumer, { userId: run.userId, runId: run.id }, run);
        this.settleReservation();
      },
      release: () => {
        this.freeSlot();
        this.settleReservation();
      },
    };
  }

  async cancel(ref: RunRef, by: string): Promise<void> {
    this.consumer?.cancel(ref, by);
  }

  async answered(ref: RunRef): Promise<void> {
    this.consumer?.answered(ref);
  }

  placeInLine(): number {
    return this.consumer && this.running < this.slots ? 0 : this.waiting + 1;
  }

  async stop(): Promise<void> {
    this.consumer = undefined;
    if (this.reserved > 0) await this.noneReserved.promise;
  }

  private settleReservation(): void {
    this.reserved--;
    if (!this.consumer && this.reserved === 0) this.noneReserved.resolve();
  }

  private fillSlots(): void {
    while (this.consumer && this.running < this.slots) {
      const ref = this.takeTurn();
      if (!ref) return;
      this.carry(this.consumer, ref);
    }
  }

  /** The next run of the user whose turn it is; that user's turn comes again after everybody else's. */
  private takeTurn(): RunRef | undefined {
    for (const [userId, own] of this.line) {
      const ref = own.shift();
      this.line.delete(userId);
      if (own.length > 0) this.line.set(userId, own);
      if (!ref) continue;
      this.waiting--;
      return ref;
    }
    return undefined;
  }

  private carry(consumer: RunConsumer, ref: RunRef): void {
    this.running++;
    this.untilItEnds(consumer, ref);
  }

  /**
   * Under its own ids in the log: the slot may have become free by the end of somebody else's run. All that waits for the run does
   * so in this scope, so that no run in flight keeps another one.
   */
  private untilItEnds(consumer: RunConsumer, ref: RunRef, claimed?: ClaimedRun): void {
    const { userId, runId } = ref;
    runInLogScope({ userId, runId, requestId: claimed?.origin.requestId }, () => {
      consumer.run(ref, claimed).then(this.freeSlot, (err: unknown) => {
        this.logger.error({ err, ...ref }, 'a run was given up; it goes on when the server starts again');
        this.freeSlot();
      });
    });
  }

  /** Bound once, for every run in flight has it. */
  private readonly freeSlot = (): void => {
    this.running--;
    this.fillSlots();
  };
}
