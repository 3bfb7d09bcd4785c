import { Logger } from '@nestjs/common';
import type { CommitFacts, CommitListener } from '../../events/event-journal.port.js';
import type { JournalledEvent } from '../../events/run-event.js';
import { CarrelError, isCarrelError } from '../../shared/errors.js';
import type { UserId } from '../../shared/ids.js';
import type { Backlog } from './backlog.js';
import type { SqliteDatabase } from './sqlite-database.js';

/** Operations that share one transaction at most; bounds how long the event loop stands still. */
const MAX_BATCH = 1_000;

/**
 * One write: reads, decides, then writes, without waiting for anything; the events that it writes are pushed to
 * `journalled`. It refuses by throwing a CarrelError, before it has written or remembered anything.
 */
export type Operation<T> = (journalled: JournalledEvent[]) => T;

interface Queued {
  operation: Operation<unknown>;
  resolve(value: unknown): void;
  reject(reason: unknown): void;
}

/** Somebody who is about to read a user's rows. */
interface Reader {
  userId: UserId;
  resolve(): void;
  reject(reason: unknown): void;
}

type Settled = { queued: Queued } & ({ value: unknown } | { reason: unknown });

/**
 * The one writer: whatever is asked for in one tick is one transaction. When it is on disk, first the listeners get its
 * events, then the operations' promises settle, both in the order of the calls.
 */
export class GroupCommit {
  private readonly logger = new Logger('Storage');
  private readonly listeners: CommitListener[] = [];
  private queue: Queued[] = [];
  private readers: Reader[] = [];
  private scheduled = false;
  private stopped = false;

  /** @param forget drops what is remembered of rows, after a transaction was rolled back */
  constructor(
    private readonly database: SqliteDatabase,
    private readonly backlog: Pick<Backlog, 'log' | 'isFull' | 'isEmpty' | 'settle' | 'settleAll'>,
    private readonly forget: () => void,
  ) {}

  /** @throws CarrelError `draining` after `stop` */
  write<T>(operation: Operation<T>): Promise<T> {
    return new Promise<unknown>((resolve, reject) => {
      if (this.stopped) return reject(new CarrelError('draining', 'The storage is closed'));
      this.queue.push({ operation, resolve, reject });
      this.schedule();
    }) as Promise<T>;
  }

  /** Resolves when a user's rows are complete. All who wait for that in one tick cost one transaction. */
  whenSettled(userId: UserId): Promise<void> {
    return new Promise((resolve, reject) => {
      this.readers.push({ userId, resolve, reject });
      this.schedule();
    });
  }

  onCommitted(listener: CommitListener): void {
    this.listeners.push(listener);
  }

  /** Commits what is queued and takes nothing more. */
  stop(): void {
    this.stopped = true;
    while (this.queue.length > 0) this.commitNext();
    if (!this.backlog.isEmpty) this.emptyBacklog();
    this.settleForReaders();
  }

  /** Carries out work that moves what is stored already, and that nobody waits for the disk for. */
  move(work: () => void): void {
    try {
      this.database.relaxedTransaction(work);
    } catch (error) {
      this.forget();
      throw error;
    }
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.commitNext();
      this.settleForReaders();
      if (this.backlog.isFull) this.emptyBacklog();
      if (this.queue.length > 0) this.schedule();
    });
  }

  private settleForReaders(): void {
    const { readers } = this;
    if (readers.length === 0) return;
    this.readers = [];
    try {
      this.move(() => readers.forEach(({ userId }) => this.backlog.settle(userId)));
      for (const { resolve } of readers) resolve();
    } catch {
      for (const reader of readers) this.settleForOne(reader);
    }
  }

  /** One of several is to blame: alone, it fails alone. */
  private settleForOne({ userId, resolve, reject }: Reader): void {
    try {
      this.move(() => this.backlog.settle(userId));
      resolve();
    } catch (error) {
      reject(error);
    }
  }

  private emptyBacklog(): void {
    try {
      this.move(() => this.backlog.settleAll());
    } catch (err) {
      this.logger.error({ err }, 'the backlog could not be settled; it is tried again later');
    }
  }

  private commitNext(): void {
    const batch = this.queue.length > MAX_BATCH ? this.queue.splice(0, MAX_BATCH) : this.queue;
    if (batch === this.queue) this.queue = [];
    if (batch.length === 0) return;
    try {
      this.commit(batch);
    } catch (error) {
      this.forget();
      // one of them is to blame: alone, it fails alone
      if (batch.length === 1) batch[0]?.reject(error);
      else for (const queued of batch) this.commitAlone(queued);
    }
  }

  private commitAlone(queued: Queued): void {
    try {
      this.commit([queued]);
    } catch (error) {
      this.forget();
      queued.reject(error);
    }
  }

  private commit(batch: readonly Queued[]): void {
    const journalled: JournalledEvent[] = [];
    const beganMs = performance.now();
    const settled = this.database.transaction(() => {
      const carriedOut = batch.map((queued) => this.carryOut(queued, journalled));
      this.backlog.log();
      return carriedOut;
    });
    const facts = { operations: batch.length, tookMs: performance.now() - beganMs };
    if (journalled.length > 0) this.deliver(journalled, facts);
    for (const one of settled) {
      if ('value' in one) one.queued.resolve(one.value);
      else one.queued.reject(one.reason);
    }
  }

  private carryOut(queued: Queued, journalled: JournalledEvent[]): Settled {
    try {
      return { queued, value: queued.operation(journalled) };
    } catch (reason) {
      if (!isCarrelError(reason)) throw reason;
      return { queued, reason };
    }
  }

  private deliver(events: readonly JournalledEvent[], facts: CommitFacts): void {
    for (const listener of this.listeners) {
      try {
        listener(events, facts);
      } catch (err) {
        this.logger.error({ err, events: events.length }, 'a listener of the journal failed');
      }
    }
  }
}
