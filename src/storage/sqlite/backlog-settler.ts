import type { SQLInputValue } from 'node:sqlite';
import {
  OPENED_COLUMNS,
  STEP_COLUMNS,
  type OpenedColumns,
  type PendingRun,
  type PendingUser,
  type RunEnd,
  type RunState,
} from './backlog-rows.js';
import type { SqliteDatabase } from './sqlite-database.js';
import { UsageTable } from './usage-table.js';

/** Columns of `runs` that change while a run is under way, and those that its end sets beside them. */
const STATE_COLUMNS = 'status, admitted, attempt, fence, started_at';
const END_COLUMNS = 'cancel_requested_by, ended_at, stepped, outcome';

const marks = (columns: string) => columns.replaceAll(/\w+/g, '?');
const assigned = (columns: string) => columns.replaceAll(/\w+/g, '$& = ?');

const SETTLE_QUERIES = {
  // after a crash nobody knows whether the row is there already
  user: `
    INSERT INTO users (key, id, oldest_at) VALUES (?, ?, ?)
    ON CONFLICT (key) DO UPDATE SET oldest_at = coalesce(oldest_at, excluded.oldest_at)`,
  oldest: 'UPDATE users SET oldest_at = ? WHERE key = ? AND oldest_at IS NULL',
  thread: `INSERT INTO threads (key, user_key, id, metadata, created_at) VALUES (?, ?, ?, '{}', ?)`,
  run: `
    INSERT INTO runs (key, user_key, ${OPENED_COLUMNS}, cancel_requested_by) VALUES (?, ?, ${marks(OPENED_COLUMNS)}, ?)`,
  request: 'INSERT INTO run_requests (run_key, user_key, request) VALUES (?, ?, ?)',
  endedRun: `
    INSERT INTO runs (key, user_key, ${OPENED_COLUMNS}, ${END_COLUMNS})
    VALUES (?, ?, ${marks(OPENED_COLUMNS)}, ${marks(END_COLUMNS)})`,
  state: `
    UPDATE runs SET ${assigned(STATE_COLUMNS)}, cancel_requested_by = ? WHERE key = ? AND user_key = ?`,
  end: `
    UPDATE runs SET ${assigned(STATE_COLUMNS)}, ${assigned(END_COLUMNS)} WHERE key = ? AND user_key = ?`,
  events: 'INSERT INTO events (user_key, run_key, seq, at, json) VALUES (?, ?, ?, ?, ?)',
  step: `
    INSERT INTO run_steps (run_key, user_key, ${STEP_COLUMNS}) VALUES (?, ?, ${marks(STEP_COLUMNS)})
    ON CONFLICT (run_key, path) DO UPDATE SET
      kind = excluded.kind, effect = excluded.effect, state = excluded.state, attempts = excluded.attempts,
      started_at = excluded.started_at, ended_at = excluded.ended_at, until_at = excluded.until_at,
      outcome = excluded.outcome`,
} as const;

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
      endedRun: database.prepare(SETTLE_QUERIES.endedRun),
      state: database.prepare(SETTLE_QUERIES.state),
      request: database.prepare(SETTLE_QUERIES.request),
      end: database.prepare(SETTLE_QUERIES.end),
      events: database.prepare(SETTLE_QUERIES.events),
      step: database.prepare(SETTLE_QUERIES.step),
    };
  }

  write(users: readonly PendingUser[]): void {
    for (const user of users) this.writeUser(user);
    // in the order of their arrival, so that tables grow at their ends
    const runs = users.flatMap((user) => [...user.runs.values()].map((run) => ({ user, run })));
    for (const { user, run } of runs.toSorted((a, b) => a.run.key - b.run.key)) this.writeRun(user, run);
    for (const user of users) this.countEnds(user);
  }

  private writeUser({ id, key, isNew, oldestAtMs }: PendingUser): void {
    if (isNew) this.statements.user.run(key, id, oldestAtMs ?? null);
    else if (oldestAtMs !== undefined) this.statements.oldest.run(oldestAtMs, key);
  }

  private writeRun(user: PendingUser, run: PendingRun): void {
    this.writeRow(user, run);
    const { key, opened, events, steps } = run;
    if (opened) this.statements.request.run(key, user.key, opened.request);
    for (const { lastSeq, lastAtMs, lines } of events) {
      this.statements.events.run(user.key, key, lastSeq, lastAtMs, lines);
    }
    for (const step of steps?.values() ?? []) this.statements.step.run(key, user.key, ...step);
  }

  private writeRow(user: PendingUser, { key, opened, state, end }: PendingRun): void {
    const thread = opened?.thread;
    if (thread) this.statements.thread.run(thread.key, user.key, thread.id, thread.createdAtMs);
    const latest = end ?? state;
    if (opened) {
      const columns = latest ? withState(opened.columns, latest) : opened.columns;
      if (end) this.statements.endedRun.run(key, user.key, ...columns, ...endColumnsOf(end));
      else this.statements.run.run(key, user.key, ...columns, state?.cancelRequestedBy ?? null);
    } else if (end) {
      this.statements.end.run(...stateColumnsOf(end), ...endColumnsOf(end), key, user.key);
    } else if (state) {
      this.statements.state.run(...stateColumnsOf(state), state.cancelRequestedBy, key, user.key);
    }
  }

  private countEnds(user: PendingUser): void {
    const ends = [...user.runs.values()].flatMap(({ end }) => end ?? []);
    if (ends.length > 0) this.usage.count(user, ends);
  }
}

type StateColumns = readonly [
  status: string,
  admitted: number,
  attempt: number,
  fence: number,
  startedAt: number | null,
];

function stateColumnsOf(state: RunState | RunEnd): StateColumns {
  const admitted = 'admitted' in state && state.admitted;
  return [state.status, admitted ? 1 : 0, state.attempt, state.fence, state.startedAtMs];
}

function endColumnsOf({ cancelRequestedBy, endedAtMs, stepped, outcome }: RunEnd): SQLInputValue[] {
  return [cancelRequestedBy, endedAtMs, stepped ? 1 : 0, outcome];
}

/** A new run's columns as they are by now. */
function withState(opened: OpenedColumns, state: RunState | RunEnd): OpenedColumns {
  const [id, threadKey, threadId, agent, , , , , createdAt, , ...idempotency] = opened;
  const [status, admitted, attempt, fence, startedAt] = stateColumnsOf(state);
  return [id, threadKey, threadId, agent, status, admitted, attempt, fence, createdAt, startedAt, ...idempotency];
}
