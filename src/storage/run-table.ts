import type { NewRun, RunOutcome, RunRecord } from '../execution/run-store.port.js';
import { isTerminal, type RunStatus } from '../execution/run-status.js';
import type { RunId } from '../shared/ids.js';
import { EventTable } from './event-table.js';
import {
  liveRunFromRow,
  liveRunOf,
  parsed,
  recordFromRow,
  recordOf,
  suspendedUntil,
  type LiveRun,
  type RunPlace,
  type RunRequest,
  type RunRow,
  type StoredOutcome,
} from './run-row.js';
import { count, joinThread } from './run-standing.js';
import type { SqliteDatabase } from './sqlite-database.js';
import type { StepTable } from './step-table.js';
import type { UsageTable } from './usage-table.js';
import type { UserState } from './user-table.js';

/** Characters of an admitted run's request that is kept in memory until the claim, to save reading it back. */
const MAX_KEPT_REQUEST = 2_048;

/** A run as the writer finds it. */
export type FoundRun = { live: LiveRun } | { ended: RunRecord };

type RowWithRequest = RunRow & { request: string | null };

/** The writer's half of `runs` and `run_requests`. Every statement carries the user. */
export class RunTable {
  private readonly insertRun;
  private readonly insertRequest;
  private readonly byId;
  private readonly byIdempotencyKey;
  private readonly requestOf;
  private readonly nextWaiting;
  private readonly updateState;
  private readonly updateAll;
  private readonly updateAdmitted;
  private readonly updateCancel;
  private readonly updateEnded;
  private readonly updateEndedWithSteps;
  private readonly updateRest;
  private lastKey: number;

  constructor(
    database: SqliteDatabase,
    private readonly events: EventTable,
    private readonly steps: StepTable,
    private readonly usage: UsageTable,
  ) {
    this.insertRun = database.prepare(
      `INSERT INTO runs (key, user_key, id, thread_key, thread_id, agent, status, admitted, attempt, fence, created_at,
         started_at, idempotency_key, fingerprint)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.insertRequest = database.prepare('INSERT INTO run_requests (run_key, user_key, request) VALUES (?, ?, ?)');
    const withRequest =
      'SELECT r.*, q.request FROM runs r LEFT JOIN run_requests q ON q.run_key = r.key AND q.user_key = r.user_key';
    this.byId = database.prepare(`${withRequest} WHERE r.user_key = ? AND r.id = ?`);
    this.byIdempotencyKey = database.prepare(`${withRequest} WHERE r.user_key = ? AND r.idempotency_key = ?`);
    this.requestOf = database.prepare('SELECT request FROM run_requests WHERE run_key = ? AND user_key = ?');
    this.nextWaiting = database.prepare(
      `SELECT id FROM runs INDEXED BY runs_in_line
       WHERE user_key = ? AND status = 'queued' AND admitted = 0 AND hold IS NULL ORDER BY priority DESC, id LIMIT 1`,
    );
    // each sets as little as it can: SQLite touches every index that names a column which is set
    this.updateState = database.prepare(
      'UPDATE runs SET status = ?, attempt = ?, fence = ?, started_at = ? WHERE key = ? AND user_key = ?',
    );
    this.updateAll = database.prepare(
      `UPDATE runs SET status = ?, attempt = ?, fence = ?, started_at = ?, admitted = ?, hold = ?, due_at = ?, resumed = ?,
         suspended_at = ?, suspended_ms = ?, stepped = ?
       WHERE key = ? AND user_key = ?`,
    );
    this.updateAdmitted = database.prepare('UPDATE runs SET admitted = 1 WHERE key = ? AND user_key = ?');
    this.updateCancel = database.prepare('UPDATE runs SET cancel_requested_by = ? WHERE key = ? AND user_key = ?');
    const ended = 'status = ?, admitted = 0, attempt = ?, ended_at = ?, cancel_requested_by = ?, outcome = ?';
    this.updateEnded = database.prepare(`UPDATE runs SET ${ended} WHERE key = ? AND user_key = ?`);
    this.updateEndedWithSteps = database.prepare(
      `UPDATE runs SET ${ended}, stepped = 1 WHERE key = ? AND user_key = ?`,
    );
    // plain runs have nothing of this, so that their writes name neither these columns nor their indices
    this.updateRest = database.prepare(
      `UPDATE runs SET priority = ?, hold = ?, due_at = ?, suspended_ms = ?, stepped = ? WHERE key = ? AND user_key = ?`,
    );
    // not below the keys of events whose runs were deleted with their thread: those are never given again
    const last = database.prepare(
      'SELECT max(coalesce((SELECT max(key) FROM runs), 0), coalesce((SELECT max(run_key) FROM events), 0)) AS key',
    );
    this.lastKey = Number(last.get()?.key);
  }

  /** Records a new run and counts it where it stands. */
  insert(user: UserState, threadKey: number, run: NewRun, place: RunPlace): { live: LiveRun; record: RunRecord } {
    const key = ++this.lastKey;
    const live = liveRunOf(run, key, place);
    const { input, metadata, origin, pipeline, retryOf, notBeforeMs } = run;
    const request: RunRequest = { input, metadata, origin, pipeline, retryOf, notBeforeMs };
    const { key: idempotencyKey = null, fingerprint = null } = run.idempotency ?? {};
    this.insertRun.run(
      key,
      user.key,
      run.id,
      threadKey,
      run.threadId,
      run.agent,
      live.status,
      live.admitted ? 1 : 0,
      live.attempt,
      live.fence,
      run.createdAtMs,
      live.startedAtMs ?? null,
      idempotencyKey,
      fingerprint,
    );
    if (!isPlain(live)) this.saveRest(user, live);
    const text = JSON.stringify(request);
    if (live.status === 'queued' && live.admitted && text.length <= MAX_KEPT_REQUEST) live.request = text;
    this.insertRequest.run(key, user.key, text);
    user.live.set(run.id, live);
    count(user, live, 1);
    joinThread(user, live);
    return { live, record: recordOf(user.id, live, request) };
  }

  find(user: UserState, runId: RunId): FoundRun | undefined {
    const live = this.findLive(user, runId);
    if (live) return { live };
    const row = this.byId.get(user.key, runId) as RowWithRequest | undefined;
    return row && { ended: recordFromRow(user.id, row, row.request) };
  }

  /** A run that has not ended. */
  findLive(user: UserState, runId: RunId): LiveRun | undefined {
    const known = user.live.get(runId);
    if (known) return known;
    const row = this.byId.get(user.key, runId) as RowWithRequest | undefined;
    if (!row || isTerminal(row.status as RunStatus)) return undefined;
    const live = liveRunFromRow(row, {
      runSeq: this.events.lastRunSeq(user.key, row.key),
      hasSteps: row.fence > 0 && this.steps.has(user.key, row.key),
    });
    remember(user, live);
    return live;
  }

  findByIdempotencyKey(user: UserState, key: string): { run: RunRecord; fingerprint: string } | undefined {
    const row = this.byIdempotencyKey.get(user.key, key) as (RowWithRequest & { fingerprint: string }) | undefined;
    return row && { run: recordFromRow(user.id, row, row.request), fingerprint: row.fingerprint };
  }

  /** The waiting run that is admitted next. */
  firstWaiting(user: UserState): LiveRun | undefined {
    const row = this.nextWaiting.get(user.key);
    return row && this.findLive(user, row.id as RunId);
  }

  record(user: UserState, run: LiveRun): RunRecord {
    return recordOf(
      user.id,
      run,
      parsed(run.request ?? this.requestOf.get(run.key, user.key)?.request, run.id) as RunRequest,
    );
  }

  /** Writes status, attempt, fence and start of a run that stays where it stands. */
  saveState(user: UserState, run: LiveRun): void {
    this.updateState.run(run.status, run.attempt, run.fence, run.startedAtMs ?? null, run.key, user.key);
  }

  /** Changes a run that has not ended, in memory, on disk and in the user's counts. */
  move(user: UserState, run: LiveRun, change: Partial<LiveRun>): void {
    count(user, run, -1);
    Object.assign(run, change);
    count(user, run, 1);
    remember(user, run);
    this.updateAll.run(
      run.status,
      run.attempt,
      run.fence,
      run.startedAtMs ?? null,
      run.admitted ? 1 : 0,
      run.hold ?? null,
      run.dueAtMs ?? null,
      run.resumed ? 1 : 0,
      run.suspendedAtMs ?? null,
      run.suspendedMs,
      run.stepped ? 1 : 0,
      run.key,
      user.key,
    );
  }

  /** Gives a waiting run its place. */
  admit(user: UserState, run: LiveRun): void {
    count(user, run, -1);
    run.admitted = true;
    count(user, run, 1);
    this.updateAdmitted.run(run.key, user.key);
  }

  /** Writes who wants a running run cancelled. */
  noteCancel(user: UserState, run: LiveRun, by: string): void {
    run.cancelRequestedBy = by;
    this.updateCancel.run(by, run.key, user.key);
  }

  /** Writes the end of a run; `run` stays as it was before. */
  end(user: UserState, run: LiveRun, outcome: RunOutcome): void {
    const stored: StoredOutcome = { result: outcome.result, error: outcome.error, usage: outcome.usage };
    const update = run.stepped ? this.updateEndedWithSteps : this.updateEnded;
    update.run(
      outcome.status,
      outcome.attempt,
      outcome.endedAtMs,
      run.cancelRequestedBy ?? null,
      JSON.stringify(stored),
      run.key,
      user.key,
    );
    if (!isPlain({ ...run, stepped: false })) {
      const suspendedMs = suspendedUntil(run, outcome.endedAtMs);
      this.saveRest(user, { ...run, hold: undefined, dueAtMs: undefined, suspendedMs });
    }
    this.usage.count(user, run, outcome);
    user.live.delete(run.id);
  }

  private saveRest(user: UserState, run: LiveRun): void {
    this.updateRest.run(
      run.priority,
      run.hold ?? null,
      run.dueAtMs ?? null,
      run.suspendedMs,
      run.stepped ? 1 : 0,
      run.key,
      user.key,
    );
  }
}

/** A suspended run may rest for days, and its row knows everything: nothing is kept in memory of it. */
function remember(user: UserState, run: LiveRun): void {
  if (run.status === 'suspended') user.live.delete(run.id);
  else user.live.set(run.id, run);
}

/** A run that was never held or suspended, and has no steps. */
function isPlain({ priority, hold, dueAtMs, suspendedAtMs, stepped }: LiveRun): boolean {
  return priority === 0 && hold === undefined && dueAtMs === undefined && suspendedAtMs === undefined && !stepped;
}
