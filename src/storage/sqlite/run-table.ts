import type { NewRun, RunOutcome, RunRecord } from '../../execution/run-store.port.js';
import { isTerminal, type RunStatus } from '../../execution/run-status.js';
import type { RunId } from '../../shared/ids.js';
import type { Backlog } from './backlog.js';
import type { OpenedColumns } from './backlog-rows.js';
import type { FoundRun } from '../decision-tables.js';
import type { EventTable } from './event-table.js';
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
} from '../run-row.js';
import { count, joinThread } from '../run-standing.js';
import type { SqliteDatabase } from './sqlite-database.js';
import type { StepTable } from './step-table.js';
import type { ThreadPlace } from './thread-table.js';
import type { SqliteUser } from './user-table.js';

/** Characters of an admitted run's request that is kept in memory until the claim, to save reading it back. */
const MAX_KEPT_REQUEST = 2_048;

type RowWithRequest = RunRow & { request: string | null };

/** The writer's half of `runs` and `run_requests`. Every statement carries the user. */
export class RunTable {
  private readonly byId;
  private readonly byIdempotencyKey;
  private readonly requestOf;
  private readonly updateAll;
  private readonly updateRest;
  private lastKey: number;
  private newestId: string;

  constructor(
    database: SqliteDatabase,
    private readonly backlog: Backlog,
    private readonly events: EventTable,
    private readonly steps: StepTable,
  ) {
    const withRequest =
      'SELECT r.*, q.request FROM runs r LEFT JOIN run_requests q ON q.run_key = r.key AND q.user_key = r.user_key';
    this.byId = database.prepare(`${withRequest} WHERE r.user_key = ? AND r.id = ?`);
    this.byIdempotencyKey = database.prepare(`${withRequest} WHERE r.user_key = ? AND r.idempotency_key = ?`);
    this.requestOf = database.prepare('SELECT request FROM run_requests WHERE run_key = ? AND user_key = ?');
    this.updateAll = database.prepare(
      `UPDATE runs SET status = ?, attempt = ?, fence = ?, started_at = ?, admitted = ?, hold = ?, due_at = ?, resumed = ?,
         suspended_at = ?, suspended_ms = ?, stepped = ?
       WHERE key = ? AND user_key = ?`,
    );
    // plain runs have nothing of this
    this.updateRest = database.prepare(
      `UPDATE runs SET priority = ?, hold = ?, due_at = ?, suspended_ms = ?, stepped = ? WHERE key = ? AND user_key = ?`,
    );
    // not below the keys of events whose runs were deleted with their thread: those are never given again
    const last = database.prepare(
      'SELECT max(coalesce((SELECT max(key) FROM runs), 0), coalesce((SELECT max(run_key) FROM events), 0)) AS key',
    );
    this.lastKey = Number(last.get()?.key);
    const newest = database.prepare('SELECT id FROM runs WHERE key = (SELECT max(key) FROM runs)');
    this.newestId = String(newest.get()?.id ?? '');
  }

  /** Records a new run and counts it where it stands. */
  insert(user: SqliteUser, thread: ThreadPlace, run: NewRun, place: RunPlace): { live: LiveRun; record: RunRecord } {
    this.refuseKnownId(user, run.id);
    const key = ++this.lastKey;
    const live = liveRunOf(run, key, place);
    const { input, metadata, origin, pipeline, retryOf, notBeforeMs } = run;
    const request: RunRequest = { input, metadata, origin, pipeline, retryOf, notBeforeMs };
    const { key: idempotencyKey = null, fingerprint = null } = run.idempotency ?? {};
    const text = JSON.stringify(request);
    if (live.status === 'queued' && live.admitted && text.length <= MAX_KEPT_REQUEST) live.request = text;
    const columns: OpenedColumns = [
      run.id,
      thread.key,
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
    ];
    this.backlog.addRun(user, key, { columns, request: text, thread: thread.made });
    if (!isPlain(live)) this.saveRest(user, live);
    user.live.set(run.id, live);
    count(user, live, 1);
    joinThread(user, live);
    return { live, record: recordOf(user.id, live, request) };
  }

  find(user: SqliteUser, runId: RunId): FoundRun | undefined {
    const live = this.findLive(user, runId);
    if (live) return { live };
    this.backlog.settle(user.id);
    const row = this.byId.get(user.key, runId) as RowWithRequest | undefined;
    return row && { ended: recordFromRow(user.id, row, row.request) };
  }

  /** A run that has not ended. */
  findLive(user: SqliteUser, runId: RunId): LiveRun | undefined {
    const known = user.live.get(runId);
    if (known) return known;
    this.backlog.settle(user.id);
    const row = this.byId.get(user.key, runId) as RowWithRequest | undefined;
    if (!row || isTerminal(row.status as RunStatus)) return undefined;
    const live = liveRunFromRow(row, {
      runSeq: this.events.lastRunSeq(user.key, row.key),
      hasSteps: row.fence > 0 && this.steps.has(user, row.key),
    });
    remember(user, live);
    return live;
  }

  findByIdempotencyKey(user: SqliteUser, key: string): { run: RunRecord; fingerprint: string } | undefined {
    const find = () =>
      this.byIdempotencyKey.get(user.key, key) as (RowWithRequest & { fingerprint: string }) | undefined;
    let row = find();
    // most requests are new: only where one is known must it be known as it is by now
    if (row || this.backlog.hasIdempotencyKey(user.id, key)) {
      this.backlog.settle(user.id);
      row = find();
    }
    return row && { run: recordFromRow(user.id, row, row.request), fingerprint: row.fingerprint };
  }

  record(user: SqliteUser, run: LiveRun): RunRecord {
    return recordOf(user.id, run, parsed(run.request ?? this.readRequest(user, run), run.id) as RunRequest);
  }

  /** Writes status, attempt, fence, start and place of a run, and who wants it cancelled. */
  saveState(user: SqliteUser, run: LiveRun): void {
    this.backlog.addState(user, run.key, {
      status: run.status,
      admitted: run.admitted,
      attempt: run.attempt,
      fence: run.fence,
      startedAtMs: run.startedAtMs ?? null,
      cancelRequestedBy: run.cancelRequestedBy ?? null,
    });
  }

  /** Changes a run that has not ended, in memory, on disk and in the user's counts. */
  move(user: SqliteUser, run: LiveRun, change: Partial<LiveRun>): void {
    count(user, run, -1);
    Object.assign(run, change);
    count(user, run, 1);
    remember(user, run);
    this.backlog.settle(user.id);
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
  admit(user: SqliteUser, run: LiveRun): void {
    count(user, run, -1);
    run.admitted = true;
    count(user, run, 1);
    this.saveState(user, run);
  }

  /** Writes who wants a running run cancelled. */
  noteCancel(user: SqliteUser, run: LiveRun, by: string): void {
    run.cancelRequestedBy = by;
    this.saveState(user, run);
  }

  /** Writes the end of a run; `run` stays as it was before. */
  end(user: SqliteUser, run: LiveRun, outcome: RunOutcome): void {
    const stored: StoredOutcome = { result: outcome.result, error: outcome.error, usage: outcome.usage };
    const startedAtMs = run.startedAtMs ?? outcome.endedAtMs;
    this.backlog.addEnd(user, run.key, {
      status: outcome.status,
      attempt: outcome.attempt,
      fence: run.fence,
      startedAtMs: run.startedAtMs ?? null,
      endedAtMs: outcome.endedAtMs,
      cancelRequestedBy: run.cancelRequestedBy ?? null,
      stepped: run.stepped,
      agent: run.agent,
      // a clock that was set back must not take time away
      waitedMs: Math.max(0, startedAtMs - run.createdAtMs),
      ranMs: Math.max(0, outcome.endedAtMs - startedAtMs),
      usage: outcome.usage,
      outcome: JSON.stringify(stored),
    });
    if (!isPlain({ ...run, stepped: false })) {
      const suspendedMs = suspendedUntil(run, outcome.endedAtMs);
      this.saveRest(user, { ...run, hold: undefined, dueAtMs: undefined, suspendedMs });
    }
    user.live.delete(run.id);
  }

  /** Ids grow, as long as no clock is set back: only one that is not the newest has to be looked for. */
  private refuseKnownId(user: SqliteUser, id: RunId): void {
    if (id <= this.newestId && this.find(user, id)) throw new Error(`the run ${id} is there already`);
    if (id > this.newestId) this.newestId = id;
  }

  private readRequest(user: SqliteUser, run: LiveRun): unknown {
    return this.backlog.requestOf(user.id, run.key) ?? this.requestOf.get(run.key, user.key)?.request;
  }

  private saveRest(user: SqliteUser, run: LiveRun): void {
    this.backlog.settle(user.id);
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
function remember(user: SqliteUser, run: LiveRun): void {
  if (run.status === 'suspended') user.live.delete(run.id);
  else user.live.set(run.id, run);
}

/** A run that was never held or suspended, and has no steps. */
function isPlain({ priority, hold, dueAtMs, suspendedAtMs, stepped }: LiveRun): boolean {
  return priority === 0 && hold === undefined && dueAtMs === undefined && suspendedAtMs === undefined && !stepped;
}
