import { setTimeout } from 'node:timers/promises';
import { Queue, Worker, type Job, type QueueOptions } from 'bullmq';
import type { Redis } from 'ioredis';
import type { RunRef } from '../execution/run-store.port.js';
import type { RunId, UserId } from '../shared/ids.js';
import { AT_ONCE, type RedisConnections } from './redis-connections.js';

export type RunJob = Job<{ userId: UserId }, null>;

const QUEUE = 'runs';
/** Whoever has taken a run out of the queue hands it over within milliseconds: who does not is dead or asleep. */
const LOCK_MS = 10_000;
const STALLED_CHECK_MS = 5_000;
/** Somebody who waits looks into the queue at least so often. */
const LOOK_EVERY_S = 2;
/** Nobody reads BullMQ's own events. */
const KEPT_EVENTS = 100;
const RETRY_MS = 250;

/** BullMQ's worker, asked for one run at a time. */
export class RunWorker extends Worker<{ userId: UserId }, null> {
  constructor(
    options: QueueOptions,
    /** Whoever waits for an answer of Redis gets an error. */
    readonly abandon: () => void,
  ) {
    super(QUEUE, null, {
      ...options,
      autorun: false,
      lockDuration: LOCK_MS,
      stalledInterval: STALLED_CHECK_MS,
      maxStalledCount: Number.MAX_SAFE_INTEGER, // the store knows when a run has been begun too often
      drainDelay: LOOK_EVERY_S,
    });
    this.on('error', () => undefined); // the connection says it, or whoever asks
  }

  /** BullMQ's own would wait longer after an error. */
  override delay(...[ms, abort]: Parameters<Worker['delay']>): Promise<void> {
    return super.delay(ms ?? RETRY_MS, abort);
  }
}

/**
 * The line of admitted runs in Redis: first come, first served. That is fair, since no user has more than K runs in it. A job
 * is the run's id, so that a run that is sent twice stands in it once.
 */
export class RunQueue {
  private constructor(
    private readonly queue: Queue<{ userId: UserId }, null>,
    private readonly client: Redis,
    private readonly connections: RedisConnections,
  ) {}

  static async open(connections: RedisConnections): Promise<RunQueue> {
    const client = await connections.connect('queue', AT_ONCE);
    const options = optionsOf(connections, client);
    const queue = new Queue<{ userId: UserId }, null>(QUEUE, {
      ...options,
      streams: { events: { maxLen: KEPT_EVENTS } },
      defaultJobOptions: { removeOnComplete: true, removeOnFail: true },
    });
    queue.on('error', () => undefined); // the connection says it
    await queue.waitUntilReady();
    connections.beforeClose(() => queue.close());
    return new RunQueue(queue, client, connections);
  }

  get isConnected(): boolean {
    return this.client.status === 'ready';
  }

  onConnection(listener: () => void): void {
    this.client.on('ready', listener);
    this.client.on('close', listener);
  }

  /** In one step; one that is in the queue already stays where it is. */
  async send(refs: readonly RunRef[]): Promise<void> {
    await this.queue.addBulk(
      refs.map(({ userId, runId }) => ({ name: 'run', data: { userId }, opts: { jobId: runId } })),
    );
  }

  waiting(): Promise<number> {
    return this.queue.getWaitingCount();
  }

  /** Somebody who takes runs out of the queue, as soon as Redis is there. */
  async worker(): Promise<RunWorker> {
    // it may wait as long as it takes
    const client = await this.connections.connect('worker', { maxRetriesPerRequest: null, socketTimeout: LOCK_MS });
    for (;;) {
      const worker = new RunWorker(optionsOf(this.connections, client), () => this.connections.disconnect(client));
      try {
        // one whose first connection fails never works again
        await worker.waitUntilReady();
        await worker.startStalledCheckTimer();
        return worker;
      } catch {
        await worker.close(true);
        await setTimeout(RETRY_MS);
      }
    }
  }
}

export function refOf(job: RunJob): RunRef {
  return { userId: job.data.userId, runId: job.id as RunId };
}

function optionsOf(connections: RedisConnections, client: Redis): QueueOptions {
  return { connection: client, prefix: connections.prefix, skipVersionCheck: true };
}
