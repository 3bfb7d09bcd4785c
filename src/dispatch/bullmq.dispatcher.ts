import { Logger } from '@nestjs/common';
import type { NodeRole } from '../config/config.js';
import type { ReservedSlot, RunConsumer, RunDispatcher } from '../execution/run-dispatcher.port.js';
import type { ClaimedRun, RunRef } from '../execution/run-store.port.js';
import type { Clock } from '../shared/clock.js';
import { runInLogScope } from '../shared/log-scope.js';
import type { RedisConnections } from './redis-connections.js';
import { RunOutbox } from './run-outbox.js';
import { RunQueue } from './run-queue.js';
import { RunSignals } from './run-signals.js';
import { RunSlots } from './run-slots.js';
import { RunTaker } from './run-taker.js';

export interface DispatcherOptions {
  readonly role: NodeRole;
  /** Runs that may be under way in this process. */
  readonly slots: number;
}

/** How old the length of the queue may be. */
const LENGTH_KNOWN_MS = 1_000;

/**
 * Carries admitted runs to whichever node has a free slot, through a queue of BullMQ; the claim in the store decides. While
 * nothing waits in the queue a run begins here if there is a slot, without a way through Redis, and so it does while Redis is
 * away. Everything here may be lost: the store has it, and the sweep brings it again.
 */
export class BullmqDispatcher implements RunDispatcher {
  private readonly logger = new Logger('RunDispatcher');
  private readonly slots: RunSlots;
  private readonly outbox: RunOutbox;
  private consumer: RunConsumer | undefined;
  private taker: RunTaker | undefined;
  private reserved = 0;
  private noneReserved = Promise.withResolvers<void>();
  private length = { runs: 0, knownAtMs: Number.NEGATIVE_INFINITY };

  private constructor(
    private readonly queue: RunQueue,
    private readonly signals: RunSignals,
    private readonly options: DispatcherOptions,
    private readonly clock: Clock,
  ) {
    this.slots = new RunSlots(options.slots);
    this.outbox = new RunOutbox(queue, clock);
    queue.onConnection(() => {
      if (!queue.isConnected) this.taker?.lendSlot();
      this.beginWithoutRedis();
    });
  }

  static async create(
    connections: RedisConnections,
    options: DispatcherOptions,
    clock: Clock,
  ): Promise<BullmqDispatcher> {
    const signals = await RunSignals.open(connections, options.role !== 'api');
    const dispatcher = new BullmqDispatcher(await RunQueue.open(connections), signals, options, clock);
    connections.beforeClose(() => dispatcher.outbox.send());
    return dispatcher;
  }

  async start(consumer: RunConsumer): Promise<void> {
    this.signals.listen(consumer);
    if (this.options.role === 'api') return;
    const worker = await this.queue.worker();
    this.consumer = consumer;
    const isConnected = () => this.queue.isConnected;
    this.taker = new RunTaker(worker, this.slots, this.clock, isConnected, (ref) => this.carry(consumer, ref));
    this.beginWithoutRedis();
  }

  async dispatch(ref: RunRef): Promise<void> {
    const { consumer } = this;
    if (consumer && this.mayBeginHere() && this.slots.tryTake()) this.carry(consumer, ref);
    else this.outbox.add(ref);
  }

  reserve(): ReservedSlot | undefined {
    const { consumer } = this;
    if (!consumer || !this.mayBeginHere() || !this.slots.tryTake()) return undefined;
    this.reserved += 1;
    return {
      begin: (run) => {
        this.carry(consumer, { userId: run.userId, runId: run.id }, run);
        this.settleReservation();
      },
      release: () => {
        this.freeSlot();
        this.settleReservation();
      },
    };
  }

  async cancel({ userId, runId }: RunRef, by: string): Promise<void> {
    this.signals.tell({ kind: 'cancel', userId, runId, by });
  }

  async answered({ userId, runId }: RunRef): Promise<void> {
    this.signals.tell({ kind: 'answered', userId, runId });
  }

  /** By what was known of the queue a moment ago: nobody waits for an answer of Redis. */
  placeInLine(): number {
    if (this.consumer && this.mayBeginHere() && this.slots.free > 0) return 0;
    const { runs, knownAtMs } = this.length;
    if (this.clock.now() - knownAtMs > LENGTH_KNOWN_MS) void this.waiting();
    const others = runs + this.outbox.size;
    // whether another node has a free slot is not known here; when nobody waits, it is likely
    return others > 0 || this.options.role !== 'api' ? others + 1 : 0;
  }

  /** Runs that wait for a slot, on all nodes; those only that wait here while Redis can't be asked. */
  async waiting(): Promise<number> {
    this.length = { ...this.length, knownAtMs: this.clock.now() };
    const runs = this.queue.isConnected ? await this.queue.waiting().catch(() => 0) : 0;
    this.length = { runs, knownAtMs: this.clock.now() };
    return runs + this.outbox.size;
  }

  async stop(): Promise<void> {
    this.consumer = undefined;
    await this.taker?.stop();
    if (this.reserved > 0) await this.noneReserved.promise;
  }

  /** Nobody is passed over by that: nothing waits, or nothing that waits can be had. */
  private mayBeginHere(): boolean {
    if (!this.queue.isConnected) return true;
    return this.outbox.size === 0 && this.taker?.isWaiting === true;
  }

  private beginWithoutRedis(): void {
    while (this.consumer && !this.queue.isConnected && this.slots.free > 0) {
      const ref = this.outbox.take();
      if (!ref) return;
      this.slots.tryTake();
      this.carry(this.consumer, ref);
    }
  }

  private settleReservation(): void {
    this.reserved -= 1;
    if (this.reserved > 0) return;
    this.noneReserved.resolve();
    this.noneReserved = Promise.withResolvers();
  }

  /** Under its own ids in the log: the slot may have become free by the end of somebody else's run. */
  private carry(consumer: RunConsumer, ref: RunRef, claimed?: ClaimedRun): void {
    const { userId, runId } = ref;
    runInLogScope({ userId, runId }, () => consumer.run(ref, claimed)).then(this.freeSlot, (err: unknown) => {
      this.logger.error({ err, ...ref }, 'a run was given up; the sweep finds it');
      this.freeSlot();
    });
  }

  /** Bound once, for every run in flight has it. */
  private readonly freeSlot = (): void => {
    this.slots.give();
    this.beginWithoutRedis();
  };
}
