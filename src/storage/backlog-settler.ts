import { OPENED_COLUMNS, STEP_COLUMNS, type PendingRun, type PendingUser } from './backlog-rows.js';
import type { SqliteDatabase } from './sqlite-database.js';
import { UsageTable } from './usage-table.js';

const marks = (columns: string) => columns.replaceAll(/\w+/g, '?');

const SETTLE_QUERIES = {
  user: 'INSERT INTO users (key, id) VALUES (?, ?) ON CONFLICT (key) DO NOTHING',
  oldest: 'UPDATE users SET oldest_at = ? WHERE key = ? AND oldest_at IS NULL',
  thread: `INSERT INTO threads (key, user_key, id, metadata, created_at) VALUES (?, ?, ?, '{}', ?)`,
  run: `INSERT INTO runs (key, user_key, ${OPENED_COLUMNS}) VALUES (?, ?, ${marks(OPENED_COLUMNS)})`,
  request: 'INSERT INTO run_requests (run_key, user_key, request) VALUES (?, ?, ?)',
  end: `
    UPDATE runs SET status = ?, admitted = 0, attempt = ?, ended_at = ?, cancel_requested_by = ?, stepped = ?, outcome = ?
    WHERE key = ? AND user_key = ?`,
  events: 'INSERT INTO events (user_key, run_key, seq, at, json) VALUES (?, ?, ?, ?, ?)',
  step: `
    INSERT INTO run_steps (run_key, user_key, ${STEP_COLUMNS}) VALUES (?, ?, ${marks(STEP_COLUMNS)})
    ON CONFLICT (run_key, path) DO UPDATE SET
      kind = excluded.kind, effect = excluded.effect, state = excluded.state, attempts = excluded.attempts,
      started_at = excluded.started_at, ended_at = excluded.ended_at, until_at = excluded.until_at,
      outcome = excluded.outcome`,
} as const;

/** Columns of `runs` that only the end of a run has, in the order in which an ended run's row is written at once. */
const END_COLUMNS = 'ended_at, cancel_requested_by, stepped, outcome';

/** Puts what is pending into its tables, each run as it is by now. */
export class BacklogSettler {
  private readonly statements;
  private readonly usage;

  constructor(database: SqliteDatabase) {
    this.usage = new UsageTable(database);
    this.statements = {
      user: database.prepare(SETTLE_QUERIES.user),
      oldest: database.prepare(SETTLE_QUERIES.oldest),
      thread: database.prepare(SETTLE_QUERIES.thread),
      run: database.prepare(SETTLE_QUERIES.run),
      endedRun: database.prepare(
        `INSERT INTO runs (key, user_key, ${OPENED_COLUMNS}, ${END_COLUMNS})
         VALUES (?, ?, ${marks(OPENED_COLUMNS)}, ${marks(END_COLUMNS)})`,
      ),
      request: database.prepare(SETTLE_QUERIES.request),
      end: database.prepare(SETTLE_QUERIES.end),
      events: database.prepare(SETTLE_QUERIES.events),
      step: database.prepare(SETTLE_QUERIES.step),
    };
  }

  write(users: readonly PendingUser[]): void {
    for (const user of users) this.writeUser(user);
    // by their keys, so that tables grow at their ends
    const runs = users.flatMap((user) => [...user.runs.values()].map((run) => ({ user, run })));
    for (const { user, run } of runs.toSorted((a, b) => a.run.key - b.run.key)) this.writeRun(user, run);
    for (const user of users) this.countEnds(user);
  }

  private writeUser({ id, key, isNew, oldestAtMs, threads }: PendingUser): void {
    if (isNew) this.statements.user.run(key, id);
    if (oldestAtMs !== undefined) this.statements.oldest.run(oldestAtMs, key);
    for (const thread of threads.values()) this.statements.thread.run(thread.key, key, thread.id, thread.createdAtMs);
  }

  private writeRun(user: PendingUser, { key, opened, end, events, steps }: PendingRun): void {
    if (opened && end) {
      const [id, threadKey, threadId, agent, , , , ...rest] = opened.columns;
      const columns = [id!, threadKey!, threadId!, agent!, end.status, 0, end.attempt, ...rest];
      const ended = [end.endedAtMs, end.cancelRequestedBy, end.stepped ? 1 : 0, end.outcome];
      this.statements.endedRun.run(key, user.key, ...columns, ...ended);
    } else if (opened) {
      this.statements.run.run(key, user.key, ...opened.columns);
    } else if (end) {
      const { status, attempt, endedAtMs, cancelRequestedBy, stepped, outcome } = end;
      const ended = [status, attempt, endedAtMs, cancelRequestedBy, stepped ? 1 : 0, outcome];
      this.statements.end.run(...ended, key, user.key);
    }
    if (opened) this.statements.request.run(key, user.key, opened.request);
    for (const { lastSeq, lastAtMs, lines } of events) {
      this.statements.events.run(user.key, key, lastSeq, lastAtMs, lines);
    }
    for (const step of steps.values()) this.statements.step.run(key, user.key, ...step);
  }

  private countEnds(user: PendingUser): void {
    const ends = [...user.runs.values()].flatMap(({ end }) => end ?? []);
    if (ends.length > 0) this.usage.count(user, ends);
  }
}
