import { emptied, linesOf, type EventRow } from '../event-lines.js';
import type { MessageTable } from './message-table.js';
import type { SqliteDatabase } from './sqlite-database.js';

const ERASE_QUERIES = {
  live: `
    SELECT 1 FROM runs INDEXED BY runs_live WHERE user_key = ? AND ended_at IS NULL AND thread_key = ? LIMIT 1`,
  runs: 'SELECT key FROM runs INDEXED BY runs_by_thread WHERE user_key = ? AND thread_key = ? LIMIT ?',
  events: 'SELECT key, seq, json FROM events INDEXED BY events_by_run WHERE run_key = ? AND user_key = ?',
  empty: 'UPDATE events SET json = ? WHERE key = ? AND user_key = ?',
  request: 'DELETE FROM run_requests WHERE run_key = ? AND user_key = ?',
  steps: 'DELETE FROM run_steps WHERE run_key = ? AND user_key = ?',
  approvals: 'DELETE FROM approvals INDEXED BY approvals_by_step WHERE run_key = ? AND user_key = ?',
  spend: 'DELETE FROM run_spend WHERE run_key = ? AND user_key = ?',
  run: 'DELETE FROM runs WHERE key = ? AND user_key = ?',
  thread: 'DELETE FROM threads WHERE key = ? AND user_key = ?',
} as const;

/** Messages that are removed in one go. */
const MESSAGES_AT_ONCE = 500;

/** Removes a thread with its conversation and its runs, their steps and questions, and what their events say. */
export class ThreadEraser {
  private readonly statements;

  constructor(
    database: SqliteDatabase,
    private readonly messages: MessageTable,
  ) {
    this.statements = {
      live: database.prepare(ERASE_QUERIES.live),
      runs: database.prepare(ERASE_QUERIES.runs),
      events: database.prepare(ERASE_QUERIES.events),
      empty: database.prepare(ERASE_QUERIES.empty),
      request: database.prepare(ERASE_QUERIES.request),
      steps: database.prepare(ERASE_QUERIES.steps),
      approvals: database.prepare(ERASE_QUERIES.approvals),
      spend: database.prepare(ERASE_QUERIES.spend),
      run: database.prepare(ERASE_QUERIES.run),
      thread: database.prepare(ERASE_QUERIES.thread),
    };
  }

  hasLiveRuns(userKey: number, threadKey: number): boolean {
    return this.statements.live.get(userKey, threadKey) !== undefined;
  }

  /** @returns whether all is gone: false when there were more runs than `limit`, or many messages */
  erase(userKey: number, threadKey: number, limit: number): boolean {
    return this.messages.erase(userKey, threadKey, MESSAGES_AT_ONCE) && this.eraseRuns(userKey, threadKey, limit);
  }

  private eraseRuns(userKey: number, threadKey: number, limit: number): boolean {
    const rows = this.statements.runs.all(userKey, threadKey, limit + 1);
    for (const { key } of rows.slice(0, limit)) {
      const runKey = Number(key);
      this.emptyEvents(runKey, userKey);
      this.statements.request.run(runKey, userKey);
      this.statements.steps.run(runKey, userKey);
      this.statements.approvals.run(runKey, userKey);
      this.statements.spend.run(runKey, userKey);
      this.statements.run.run(runKey, userKey);
    }
    if (rows.length > limit) return false;
    this.statements.thread.run(threadKey, userKey);
    return true;
  }

  private emptyEvents(runKey: number, userKey: number): void {
    for (const row of this.statements.events.all(runKey, userKey) as unknown as (EventRow & { key: number })[]) {
      this.statements.empty.run(linesOf(row).map(emptied).join('\n'), row.key, userKey);
    }
  }
}
