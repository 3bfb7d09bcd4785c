import { Logger } from '@nestjs/common';
import type { RunRef } from '../execution/run-store.port.js';
import type { Clock } from '../shared/clock.js';
import type { RunId } from '../shared/ids.js';
import type { RunQueue } from './run-queue.js';

/** Runs in one step. */
const BATCH = 500;
/** Runs that are kept while Redis is away. The store has them all, and the sweep finds them. */
const MAX_KEPT = 10_000;
const RETRY_MS = 1_000;

/** Runs on their way to the queue: what arises in one tick goes together, and what can't go waits. */
export class RunOutbox {
  private readonly logger = new Logger('RunDispatcher');
  private readonly kept = new Map<RunId, RunRef>();
  private isSending = false;
  private hasFailed = false;

  constructor(
    private readonly queue: RunQueue,
    private readonly clock: Clock,
  ) {
    queue.onConnection(() => void this.send());
  }

  get size(): number {
    return this.kept.size;
  }

  add(ref: RunRef): void {
    if (this.kept.size >= MAX_KEPT && !this.kept.has(ref.runId)) return;
    if (this.kept.size === 0) setImmediate(() => void this.send());
    this.kept.set(ref.runId, ref);
  }

  /** The first one, out of here. */
  take(): RunRef | undefined {
    const [first] = this.kept.values();
    if (first) this.kept.delete(first.runId);
    return first;
  }

  /** What can be sent is sent when this resolves. */
  async send(): Promise<void> {
    if (this.isSending) return;
    this.isSending = true;
    while (this.kept.size > 0 && this.queue.isConnected) if (!(await this.sendSome())) break;
    this.isSending = false;
  }

  private async sendSome(): Promise<boolean> {
    const some = [...this.kept.values()].slice(0, BATCH);
    for (const { runId } of some) this.kept.delete(runId);
    try {
      await this.queue.send(some);
      this.hasFailed = false;
      return true;
    } catch (err) {
      if (!this.hasFailed)
        this.logger.warn({ err, runs: some.length }, 'runs can not be queued; they are kept meanwhile');
      this.hasFailed = true;
      for (const ref of some) if (this.kept.size < MAX_KEPT) this.kept.set(ref.runId, ref);
      this.clock.after(RETRY_MS, () => void this.send());
      return false;
    }
  }
}
