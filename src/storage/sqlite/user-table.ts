import { LRUCache } from 'lru-cache';
import type { RunHold } from '../../execution/run-store.port.js';
import type { RunStatus } from '../../execution/run-status.js';
import type { RunId, ThreadId, UserId } from '../../shared/ids.js';
import type { LiveRun } from '../run-row.js';
import { WINDOW_MS, type UserState } from '../decision-tables.js';
import { count, joinThread } from '../run-standing.js';
import type { Backlog } from './backlog.js';
import type { SqliteDatabase } from './sqlite-database.js';
import { WaitingLine } from '../waiting-line.js';

/** Users whose state is remembered; for others it is counted again from their rows, by index. */
const MAX_REMEMBERED = 20_000;

/** A user's state, with what the writer remembers besides. */
export interface SqliteUser extends UserState {
  /** Stands for the user in all other tables; 0 while there is no row. */
  key: number;
  /** False when the next event is the only one that is kept. */
  hasEvents: boolean;
  /** The user's runs that have not ended, as far as they were needed. */
  readonly live: Map<RunId, LiveRun>;
}

interface UnendedRow {
  key: number;
  id: RunId;
  thread_id: ThreadId;
  status: RunStatus;
  admitted: number;
  hold: RunHold | null;
  priority: number;
}

/** The users' rows, and what follows from their runs and events, in memory. Only the writer changes it. */
export class UserTable {
  private readonly remembered = new LRUCache<UserId, SqliteUser>({ max: MAX_REMEMBERED });
  private readonly find;
  private readonly lastSeq;
  private readonly unended;
  private readonly newestRuns;
  private lastKey: number;

  constructor(
    database: SqliteDatabase,
    private readonly backlog: Backlog,
  ) {
    this.find = database.prepare('SELECT key, pruned_seq FROM users WHERE id = ?');
    this.lastSeq = database.prepare('SELECT seq FROM events WHERE user_key = ? ORDER BY seq DESC LIMIT 1');
    this.unended = database.prepare(
      `SELECT key, id, thread_id, status, admitted, hold, priority FROM runs INDEXED BY runs_live
       WHERE user_key = ? AND ended_at IS NULL`,
    );
    this.newestRuns = database.prepare('SELECT created_at FROM runs WHERE user_key = ? ORDER BY id DESC');
    this.lastKey = Number(database.prepare('SELECT max(key) AS key FROM users').get()?.key ?? 0);
  }

  /** The user's state; all zeros for a user without a row. */
  load(id: UserId, nowMs: number): SqliteUser {
    const known = this.remembered.get(id);
    if (known) return known;
    this.backlog.settle(id);
    const row = this.find.get(id);
    const user: SqliteUser = {
      id,
      key: 0,
      lastSeq: 0,
      hasEvents: false,
      admitted: 0,
      waiting: new WaitingLine(),
      held: 0,
      suspended: 0,
      threads: new Map(),
      windowStartMs: 0,
      starts: 0,
      live: new Map(),
    };
    if (!row) return user;
    user.key = Number(row.key);
    const last = this.lastSeq.get(user.key);
    user.lastSeq = Number(last?.seq ?? row.pruned_seq);
    user.hasEvents = last !== undefined;
    this.recountRuns(user);
    this.recountStarts(user, nowMs);
    this.remembered.set(id, user);
    return user;
  }

  /** True when `load` would not have to read. */
  isKnown(id: UserId): boolean {
    return this.remembered.has(id);
  }

  /** Gives a new user a key, and a row when what is pending of the user is settled. */
  enlist(user: SqliteUser): void {
    if (user.key !== 0) return;
    user.key = ++this.lastKey;
    this.backlog.addUser(user);
    this.remembered.set(user.id, user);
  }

  /** Gives a new user a row. */
  store(user: SqliteUser): void {
    this.enlist(user);
    this.backlog.settle(user.id);
  }

  forget(id: UserId): void {
    this.remembered.delete(id);
  }

  forgetAll(): void {
    this.remembered.clear();
  }

  private recountRuns(user: SqliteUser): void {
    const rows = this.unended.all(user.key) as unknown as UnendedRow[];
    // keys are handed out in the order of arrival; ids may not sort so when the clock was set back
    for (const row of rows.toSorted((a, b) => a.key - b.key)) {
      count(user, { ...row, admitted: row.admitted === 1, hold: row.hold ?? undefined }, 1);
      joinThread(user, { id: row.id, threadId: row.thread_id });
    }
  }

  /** The window of a user who was not remembered: it began with the oldest start of the last minute. */
  private recountStarts(user: SqliteUser, nowMs: number): void {
    for (const { created_at } of this.newestRuns.iterate(user.key)) {
      const createdAtMs = Number(created_at);
      if (createdAtMs <= nowMs - WINDOW_MS) break;
      user.windowStartMs = createdAtMs;
      user.starts += 1;
    }
  }
}
