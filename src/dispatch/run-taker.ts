import { Logger } from '@nestjs/common';
import { Job } from 'bullmq';
import type { RunRef } from '../execution/run-store.port.js';
import type { Clock } from '../shared/clock.js';
import { newId } from '../shared/ids.js';
import { isOverWithin } from '../shared/pause.js';
import { refOf, type RunJob, type RunWorker } from './run-queue.js';
import type { RunSlots } from './run-slots.js';

const PAUSE_MS = 250;
/** Without an answer for so long the run begins all the same. */
const HAND_OVER_MS = 1_000;
const STOP_MS = 1_000;

/**
 * Takes runs out of the queue while there are free slots. A run is out of the queue before it is claimed, and not after it has
 * ended: so it can be sent again as soon as it is suspended, nothing in Redis has to be renewed while it runs, and if
 * Redis loses everything meanwhile it does not matter. Whoever dies in between is noticed by the queue, and by the sweep.
 */
export class RunTaker {
  private readonly logger = new Logger('RunDispatcher');
  private readonly token = newId('nod');
  private hasStopped = false;
  private hasFoundNone = false;
  /** A fetch is under way, and has a slot. */
  private hasSlotToLend = false;
  private readonly ended: Promise<void>;

  constructor(
    private readonly worker: RunWorker,
    private readonly slots: RunSlots,
    private readonly clock: Clock,
    private readonly isConnected: () => boolean,
    /** Is given a run and a slot. */
    private readonly begin: (ref: RunRef) => void,
  ) {
    this.ended = this.takeAll();
  }

  /** The queue was empty when it was looked into, and nothing has come since. */
  get isWaiting(): boolean {
    return this.hasFoundNone;
  }

  /** While Redis is away a fetch brings nothing: others may have its slot. */
  lendSlot(): void {
    if (!this.hasSlotToLend) return;
    this.hasSlotToLend = false;
    this.slots.give();
  }

  async stop(): Promise<void> {
    this.hasStopped = true;
    this.slots.wake();
    // who waits for nothing is not waited for; who has a run in the hand puts it back first
    if (this.hasFoundNone) void this.worker.close(true);
    // without Redis there is nothing to come, and nobody who says so
    await isOverWithin(STOP_MS, this.ended, this.clock);
    void this.worker.close(true);
    this.worker.abandon();
  }

  /** A fetch has a slot of its own, so that what it brings can begin. */
  private async takeAll(): Promise<void> {
    let job: RunJob | undefined;
    while (!this.hasStopped) {
      job ??= await this.take();
      if (!job || this.hasStopped) continue;
      const hasRoom = this.slots.tryTake();
      const next = await this.handOver(job, hasRoom);
      this.begin(refOf(job));
      if (hasRoom && !next) this.slots.give();
      job = next;
    }
    if (!job) return;
    this.slots.give();
    await this.putBack(job);
  }

  /** @returns one with a slot, or none */
  private async take(): Promise<RunJob | undefined> {
    await this.slots.whenFree();
    if (this.hasStopped || !this.slots.tryTake()) return undefined;
    this.hasSlotToLend = true;
    if (!this.isConnected()) this.lendSlot();
    const job = await this.fetch();
    if (!job) {
      this.lendSlot();
      return undefined;
    }
    const hasSlot = this.hasSlotToLend || this.slots.tryTake();
    this.hasSlotToLend = false;
    if (hasSlot) return job;
    await this.putBack(job);
    return undefined;
  }

  private async fetch(): Promise<RunJob | undefined> {
    try {
      const job = await this.worker.getNextJob(this.token, { block: this.hasFoundNone });
      this.hasFoundNone = !job;
      return job;
    } catch (err) {
      if (this.hasStopped) return undefined;
      this.logger.warn({ err }, 'the queue of runs can not be read; it is tried again');
      await new Promise<void>((resolve) => this.clock.after(PAUSE_MS, resolve));
      return undefined;
    }
  }

  /**
   * Takes a run out of the queue for good, and another one with it. When that fails, because Redis is away, or took this
   * process for dead, the run begins all the same: only one claim of it succeeds.
   */
  private async handOver(job: RunJob, hasRoom: boolean): Promise<RunJob | undefined> {
    const moved = job.moveToCompleted(null, this.token, hasRoom && !this.hasStopped);
    moved.catch((err: unknown) => this.logger.debug({ err, ...refOf(job) }, 'the queue had given the run away'));
    if (
      !(await isOverWithin(
        HAND_OVER_MS,
        moved.catch(() => undefined),
        this.clock,
      ))
    )
      return undefined;
    const [data, id] = (await moved.catch(() => undefined)) ?? [];
    if (!data) return undefined;
    const next: RunJob = Job.fromJSON(this.worker, data, id);
    next.token = this.token;
    return next;
  }

  private async putBack(job: RunJob): Promise<void> {
    await job.moveToWait(this.token).catch(() => undefined); // it is found stalled, then
  }
}
