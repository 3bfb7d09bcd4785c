import type { RunFilter, RunPage, RunRecord, UnfinishedRun } from '../../execution/run-store.port.js';
import { isTerminal, type RunStatus } from '../../execution/run-status.js';
import type { RunId, ThreadId, UserId } from '../../shared/ids.js';
import { recordFromRow, type RunRow } from '../run-row.js';
import type { SqliteDatabase } from './sqlite-database.js';

/** Sorts after every id: where a list that has no cursor begins. */
export const AFTER_ALL = '\u{10ffff}';

/** Runs that one page looks at to find those with a status; it may be short then, with a cursor to go on from. */
const MAX_SCANNED = 2_000;

const USER_KEY = '(SELECT key FROM users WHERE id = ?1)';
const THREAD_KEY = `(SELECT key FROM threads WHERE id = ?2 AND user_key = ${USER_KEY})`;

/** Every question names its index, so that none can become slow unseen as the tables grow. */
const RUNS_BY = (index: string) => `
  SELECT r.*, q.request
  FROM runs r INDEXED BY ${index} LEFT JOIN run_requests q ON q.run_key = r.key AND q.user_key = r.user_key
  WHERE r.user_key = ${USER_KEY}`;

/** What can be asked about runs. */
export class RunReader {
  private readonly byId;
  private readonly all;
  private readonly ofThread;
  private readonly live;
  private readonly notCompleted;
  private readonly statuses;
  private readonly statusesOfThread;
  private readonly placed;
  private readonly inLine;
  private readonly held;

  constructor(database: SqliteDatabase) {
    this.byId = database.prepare(`${RUNS_BY('runs_by_user')} AND r.id = ?2`);
    this.all = database.prepare(`${RUNS_BY('runs_by_user')} AND r.id < ?2 ORDER BY r.id DESC LIMIT ?3`);
    this.ofThread = database.prepare(
      `${RUNS_BY('runs_by_thread')} AND r.thread_key = ${THREAD_KEY} AND r.id < ?3 ORDER BY r.id DESC LIMIT ?4`,
    );
    const withStatus = 'AND r.status = ?2 AND r.id < ?3 ORDER BY r.id DESC LIMIT ?4';
    this.live = database.prepare(`${RUNS_BY('runs_live')} AND r.ended_at IS NULL ${withStatus}`);
    this.notCompleted = database.prepare(
      `${RUNS_BY('runs_not_completed')} AND r.ended_at IS NOT NULL AND r.status <> 'completed' ${withStatus}`,
    );
    this.statuses = database.prepare(
      `SELECT id, status FROM runs INDEXED BY runs_by_user
       WHERE user_key = ${USER_KEY} AND id < ?2 ORDER BY id DESC LIMIT ?3`,
    );
    this.statusesOfThread = database.prepare(
      `SELECT id, status FROM runs INDEXED BY runs_by_thread
       WHERE user_key = ${USER_KEY} AND thread_key = ${THREAD_KEY} AND id < ?3 ORDER BY id DESC LIMIT ?4`,
    );
    this.inLine = database.prepare(
      `${RUNS_BY('runs_in_line')} AND r.status = 'queued' AND r.admitted = 0 AND r.hold IS NULL
       ORDER BY r.priority DESC, r.id LIMIT ?2`,
    );
    this.held = database.prepare(
      `${RUNS_BY('runs_live')} AND r.ended_at IS NULL AND r.hold IS NOT NULL ORDER BY r.id LIMIT ?2`,
    );
    this.placed = database.prepare(
      `SELECT r.id, r.status, r.fence, u.id AS user_id
       FROM runs r INDEXED BY runs_admitted JOIN users u ON u.key = r.user_key
       WHERE r.admitted = 1 AND r.id > ? ORDER BY r.id LIMIT ?`,
    );
  }

  find(userId: UserId, runId: RunId): RunRecord | undefined {
    const row = this.byId.get(userId, runId);
    return row && toRecord(userId, row);
  }

  list(userId: UserId, filter: RunFilter, { limit, cursor = AFTER_ALL }: { limit: number; cursor?: string }): RunPage {
    const { status, threadId } = filter;
    if (status === undefined) return pageOf(userId, this.rows(userId, threadId, cursor, limit + 1), limit);
    if (threadId !== undefined || status === 'completed') return this.scan(userId, { status, threadId }, cursor, limit);
    const statement = isTerminal(status) ? this.notCompleted : this.live;
    return pageOf(userId, statement.all(userId, status, cursor, limit + 1), limit);
  }

  waiting(userId: UserId, limit: number): RunRecord[] {
    const rows = this.inLine.all(userId, limit);
    if (rows.length < limit) rows.push(...this.held.all(userId, limit - rows.length));
    return rows.map((row) => toRecord(userId, row));
  }

  unfinished(after: RunId | undefined, limit: number): UnfinishedRun[] {
    return this.placed.all(after ?? '', limit).map((row) => ({
      userId: row.user_id as UserId,
      runId: row.id as RunId,
      status: row.status as RunStatus,
      fence: row.fence as number,
    }));
  }

  private rows(userId: UserId, threadId: ThreadId | undefined, cursor: string, limit: number): unknown[] {
    return threadId === undefined
      ? this.all.all(userId, cursor, limit)
      : this.ofThread.all(userId, threadId, cursor, limit);
  }

  /** Goes through runs that mostly have the status, or are few, where an index of their own would slow every run down. */
  private scan(userId: UserId, { status, threadId }: RunFilter, cursor: string, limit: number): RunPage {
    const seen =
      threadId === undefined
        ? this.statuses.iterate(userId, cursor, MAX_SCANNED)
        : this.statusesOfThread.iterate(userId, threadId, cursor, MAX_SCANNED);
    const found: RunId[] = [];
    let scanned = 0;
    let last: RunId | undefined;
    for (const row of seen) {
      if (row.status === status && found.push(row.id as RunId) > limit) break;
      last = row.id as RunId;
      scanned += 1;
    }
    const items = found.slice(0, limit).flatMap((id) => this.find(userId, id) ?? []);
    if (found.length > limit) return { items, nextCursor: items.at(-1)?.id };
    return scanned === MAX_SCANNED ? { items, nextCursor: last } : { items };
  }
}

function pageOf(userId: UserId, rows: readonly unknown[], limit: number): RunPage {
  const items = rows.slice(0, limit).map((row) => toRecord(userId, row));
  return rows.length > limit ? { items, nextCursor: items.at(-1)?.id } : { items };
}

function toRecord(userId: UserId, row: unknown): RunRecord {
  const { request, ...run } = row as RunRow & { request: string | null };
  return recordFromRow(userId, run, request);
}
