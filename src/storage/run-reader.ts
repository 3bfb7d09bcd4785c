import type { RunFilter, RunPage, RunRecord, RunRef } from '../execution/run-store.port.js';
import { isTerminal, type RunStatus } from '../execution/run-status.js';
import type { RunId, UserId } from '../shared/ids.js';
import { recordFromRow, type RunRow } from './run-row.js';
import type { SqliteDatabase } from './sqlite-database.js';

type RowWithRequest = RunRow & { request: string | null };

/** Sorts after every id: where a list that has no cursor begins. */
export const AFTER_ALL = '\u{10ffff}';

const NEWEST_FIRST = 'AND r.id < ? ORDER BY r.id DESC LIMIT ?';

/** Every question names its index, so that none can become slow unseen as the tables grow. */
const RUNS_BY = (index: string) => `
  SELECT r.*, q.request
  FROM runs r INDEXED BY ${index} LEFT JOIN run_requests q ON q.run_key = r.key AND q.user_key = r.user_key
  WHERE r.user_key = (SELECT key FROM users WHERE id = ?)`;

const RUN_QUERIES = {
  find: `${RUNS_BY('runs_by_user')} AND r.id = ?`,
  list: `${RUNS_BY('runs_by_user')} ${NEWEST_FIRST}`,
  listLive: `${RUNS_BY('runs_live')} AND r.ended_at IS NULL AND r.status = ? ${NEWEST_FIRST}`,
  listEnded: `${RUNS_BY('runs_ended')} AND r.ended_at IS NOT NULL AND r.status = ? ${NEWEST_FIRST}`,
  listThread: `${RUNS_BY('runs_by_thread')}
    AND r.thread_key = (SELECT t.key FROM threads t JOIN users u ON u.key = t.user_key WHERE u.id = ? AND t.id = ?)
    AND r.status = coalesce(?, r.status) ${NEWEST_FIRST}`,
  waiting: `${RUNS_BY('runs_waiting')} AND r.status = 'queued' AND r.admitted = 0 ORDER BY r.id LIMIT ?`,
  unfinished: `
    SELECT r.id, r.status, u.id AS user_id
    FROM runs r INDEXED BY runs_admitted JOIN users u ON u.key = r.user_key
    WHERE r.admitted = 1 AND r.id > ? ORDER BY r.id LIMIT ?`,
} as const;

/** What can be asked about runs. */
export class RunReader {
  private readonly statements;

  constructor(database: SqliteDatabase) {
    this.statements = {
      find: database.prepare(RUN_QUERIES.find),
      list: database.prepare(RUN_QUERIES.list),
      listLive: database.prepare(RUN_QUERIES.listLive),
      listEnded: database.prepare(RUN_QUERIES.listEnded),
      listThread: database.prepare(RUN_QUERIES.listThread),
      waiting: database.prepare(RUN_QUERIES.waiting),
      unfinished: database.prepare(RUN_QUERIES.unfinished),
    };
  }

  find(userId: UserId, runId: RunId): RunRecord | undefined {
    return records(userId, [this.statements.find.get(userId, runId)])[0];
  }

  list(userId: UserId, filter: RunFilter, page: { limit: number; cursor?: string }): RunPage {
    const items = records(userId, this.rows(userId, filter, page.cursor ?? AFTER_ALL, page.limit + 1));
    if (items.length <= page.limit) return { items };
    const kept = items.slice(0, page.limit);
    return { items: kept, nextCursor: kept.at(-1)?.id };
  }

  waiting(userId: UserId, limit: number): RunRecord[] {
    return records(userId, this.statements.waiting.all(userId, limit));
  }

  unfinished(after: RunId | undefined, limit: number): (RunRef & { status: RunStatus })[] {
    return this.statements.unfinished.all(after ?? '', limit).map((row) => ({
      userId: row.user_id as UserId,
      runId: row.id as RunId,
      status: row.status as RunStatus,
    }));
  }

  private rows(userId: UserId, { status, threadId }: RunFilter, before: string, limit: number) {
    const { list, listLive, listEnded, listThread } = this.statements;
    if (threadId !== undefined) return listThread.all(userId, userId, threadId, status ?? null, before, limit);
    if (status === undefined) return list.all(userId, before, limit);
    return (isTerminal(status) ? listEnded : listLive).all(userId, status, before, limit);
  }
}

function records(userId: UserId, rows: readonly unknown[]): RunRecord[] {
  return (rows as (RowWithRequest | undefined)[]).flatMap((row) =>
    row ? [recordFromRow(userId, row, row.request)] : [],
  );
}
