import { Logger } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { CommitFacts, CommitListener } from '../../events/event-journal.port.js';
import type { JournalledEvent } from '../../events/run-event.js';
import type { NodeIdentity } from '../../execution/node-identity.js';
import { CarrelError, isCarrelError } from '../../shared/errors.js';
import { newId, type UserId } from '../../shared/ids.js';
import { BatchFacts, type Need } from './batch-needs.js';
import { BatchTables } from './batch-tables.js';
import type { PostgresDatabase, Queryable, Transaction } from './postgres-database.js';
import { lockUsers, type PostgresUser } from './postgres-user.js';
import { WriteSet } from './write-set.js';

/** Operations that share one transaction at most. */
const MAX_BATCH = 500;
/** Users whose state is remembered while nobody else changes it. */
const MAX_REMEMBERED = 20_000;
/** How long a batch is tried again while the database can't be reached, before those who wait are told. */
const PATIENCE_MS = 15_000;

/**
 * One write: reads, decides, then writes, without waiting for anything; the events that it writes are pushed to
 * `journalled`. It refuses by throwing a CarrelError, before it has changed anything. It may be called several times.
 */
export type Operation<T> = (tables: BatchTables, journalled: JournalledEvent[]) => T;

interface Queued {
  need: Need;
  operation: Operation<unknown>;
  resolve(value: unknown): void;
  reject(reason: unknown): void;
}

type Settled = { queued: Queued } & ({ value: unknown } | { reason: unknown });

type LockedUsers = Awaited<ReturnType<typeof lockUsers>>;

interface Batch {
  settled: readonly Settled[];
  journalled: readonly JournalledEvent[];
  writes: WriteSet;
}

const JOIN_WRITERS = {
  name: 'writer_join',
  text: `
    WITH forgotten AS (DELETE FROM writers WHERE at < clock_timestamp() - interval '7 days')
    INSERT INTO writers (id, batch) VALUES ($1, 0)`,
};
/** Waits for a transaction of this node's that is under way still. */
const LAST_BATCH = { name: 'writer_last', text: 'SELECT batch FROM writers WHERE id = $1 FOR UPDATE' };

/**
 * The one writer of this process: whatever is asked for while a transaction is under way is the next one. It locks the rows
 * of its users, so that no other process decides about them at the same time; decides, in memory; and writes everything at
 * once. When that is committed, first the listeners get its events, then the operations' promises settle, both in the order
 * of the calls.
 */
export class PostgresCommits {
  private readonly logger = new Logger('Storage');
  private readonly listeners: CommitListener[] = [];
  private readonly remembered = new LRUCache<UserId, PostgresUser>({ max: MAX_REMEMBERED });
  private queue: Queued[] = [];
  private working: Promise<void> | undefined;
  private stopped = false;
  /** The last batch found no database. */
  private isDown = false;
  private batches = 0;
  /** Whose batches are numbered: whatever node this process is. */
  private readonly writer = newId('nod');

  /** @param node this process */
  constructor(
    private readonly database: PostgresDatabase,
    private readonly node: Pick<NodeIdentity, 'id'>,
  ) {}

  /** Before the first write. */
  async join(): Promise<void> {
    await this.database.query(JOIN_WRITERS, [this.writer]);
  }

  /** @throws CarrelError `draining` after `stop`; `database_unavailable` */
  write<T>(need: Need, operation: Operation<T>): Promise<T> {
    return new Promise<unknown>((resolve, reject) => {
      if (this.stopped) return reject(new CarrelError('draining', 'The storage is closed'));
      this.queue.push({ need, operation, resolve, reject });
      this.working ??= this.work();
    }) as Promise<T>;
  }

  onCommitted(listener: CommitListener): void {
    this.listeners.push(listener);
  }

  /** Commits what is queued and takes nothing more. */
  async stop(): Promise<void> {
    this.stopped = true;
    await this.working;
  }

  /** Never rejects. */
  private async work(): Promise<void> {
    // whatever else arises in this tick comes with it
    await new Promise(setImmediate);
    while (this.queue.length > 0) await this.commitBatch(this.queue.splice(0, MAX_BATCH));
    this.working = undefined;
  }

  private async commitBatch(batch: readonly Queued[]): Promise<void> {
    try {
      await this.commit(batch);
      this.isDown = false;
    } catch (error) {
      this.isDown = isCarrelError(error) && error.code === 'database_unavailable';
      if (batch.length === 1 || this.isDown) for (const queued of batch) queued.reject(error);
      // one of them is to blame: alone, it fails alone
      else for (const queued of batch) await this.commitBatch([queued]);
    }
  }

  private async commit(batch: readonly Queued[]): Promise<void> {
    const beganMs = performance.now();
    const number = ++this.batches;
    const userIds = [...new Set(batch.map(({ need }) => need.userId))];
    let isFirst = true;
    let decided: Batch | undefined;
    const forget = () => userIds.forEach((id) => this.remembered.delete(id));
    const wasCommitted = async (connection: Queryable) => {
      const [row] = await connection.query<{ batch: number }>(LAST_BATCH, [this.writer]);
      return row?.batch === number;
    };
    const work = async (connection: Transaction) => {
      // what was decided before, and not committed, is in memory all the same
      if (!isFirst) forget();
      isFirst = false;
      const users = await this.lock(connection, batch, userIds);
      // what nobody waited for any longer may have come to its end; it held the locks until then
      if (decided && (await wasCommitted(connection))) return decided;
      decided = await this.decide(connection, batch, users, number);
      return decided;
    };
    try {
      const patienceMs = this.isDown ? 0 : PATIENCE_MS;
      const committed = await this.database.transaction(work, { wasCommitted, patienceMs });
      for (const user of committed.writes.changedUsers) user.version += 1;
      this.settle(committed, { operations: batch.length, tookMs: performance.now() - beganMs });
    } catch (error) {
      forget();
      throw error;
    }
  }

  private lock(connection: Transaction, batch: readonly Queued[], userIds: readonly UserId[]): Promise<LockedUsers> {
    const enlisted = new Set(batch.filter(({ need }) => need.enlist).map(({ need }) => need.userId));
    return lockUsers(connection, userIds, enlisted, this.remembered);
  }

  private async decide(
    connection: Transaction,
    batch: readonly Queued[],
    users: LockedUsers,
    number: number,
  ): Promise<Batch> {
    const facts = await BatchFacts.gather(
      connection,
      users,
      batch.map(({ need }) => need),
    );
    const writes = new WriteSet(this.node.id);
    const tables = new BatchTables(facts, writes);
    const journalled: JournalledEvent[] = [];
    const settled = batch.map((queued) => carryOut(queued, tables, journalled));
    if (!writes.isEmpty) await writes.write(connection, { writer: this.writer, batch: number });
    return { settled, journalled, writes };
  }

  private settle({ settled, journalled }: Batch, facts: CommitFacts): void {
    if (journalled.length > 0) this.deliver(journalled, facts);
    for (const one of settled) {
      if ('value' in one) one.queued.resolve(one.value);
      else one.queued.reject(one.reason);
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

function carryOut(queued: Queued, tables: BatchTables, journalled: JournalledEvent[]): Settled {
  try {
    return { queued, value: queued.operation(tables, journalled) };
  } catch (reason) {
    if (!isCarrelError(reason)) throw reason;
    return { queued, reason };
  }
}
