import type { EventDraft } from '../../events/run-event.js';
import type { StepRecord } from '../../events/step-record.js';
import type { LaneLimits, LaneState } from '../../execution/lane.js';
import type {
  CancelRequest,
  ClaimedRun,
  NewRun,
  RunFilter,
  RunOutcome,
  RunPage,
  RunRecord,
  RunRef,
  RunStore,
  Submitted,
  SuspendOutcome,
  Suspension,
  Woken,
} from '../../execution/run-store.port.js';
import type { RunStatus } from '../../execution/run-status.js';
import type { Clock } from '../../shared/clock.js';
import type { RunId, UserId } from '../../shared/ids.js';
import { admitNext, isWindowOpen } from '../lane.js';
import { closeRun } from '../run-closing.js';
import { suspendedUntil } from '../run-row.js';
import { liveRunUnderFence, refuseTerminal, refuseWrongEnd } from '../run-rules.js';
import { RunSubmission } from '../run-submission.js';
import { RunSuspension } from '../run-suspension.js';
import type { SqliteTables } from './sqlite-tables.js';
import { WINDOW_MS } from './user-table.js';

/** The embedded adapter of `RunStore`: every write is one operation of the group commit. */
export class SqliteRunStore implements RunStore {
  private readonly submission: RunSubmission;
  private readonly suspension: RunSuspension;

  constructor(
    private readonly tables: SqliteTables,
    private readonly clock: Clock,
  ) {
    this.submission = new RunSubmission(tables);
    this.suspension = new RunSuspension(tables);
  }

  submit(userId: UserId, run: NewRun, limits: LaneLimits): Promise<Submitted> {
    return this.tables.commits.write((journalled) =>
      this.submission.submit(userId, run, limits, this.clock.now(), journalled),
    );
  }

  async find(userId: UserId, runId: RunId): Promise<RunRecord | undefined> {
    // who waits for a run's end asks as soon as it has come
    const known = this.tables.read(({ backlog }) => backlog.find(userId, runId));
    return known ?? this.tables.readOf(userId, ({ runReader }) => runReader.find(userId, runId));
  }

  async list(userId: UserId, filter: RunFilter, page: { limit: number; cursor?: string }): Promise<RunPage> {
    return this.tables.readOf(userId, ({ runReader }) => runReader.list(userId, filter, page));
  }

  claim(userId: UserId, runId: RunId, opening: (run: ClaimedRun) => EventDraft): Promise<ClaimedRun | undefined> {
    return this.tables.commits.write((journalled) => {
      const { users, runs, events } = this.tables;
      const nowMs = this.clock.now();
      const user = users.load(userId, nowMs);
      const run = runs.findLive(user, runId);
      if (!run || run.status !== 'queued' || !run.admitted) return undefined;

      const { resumed, stepped: hasSteps } = run;
      const claimed = {
        status: 'running' as const,
        attempt: resumed ? run.attempt : run.attempt + 1,
        fence: run.fence + 1,
        startedAtMs: run.startedAtMs ?? nowMs,
      };
      const record: ClaimedRun = { ...runs.record(user, run), ...claimed, resumed, hasSteps };
      const first = opening(record);
      refuseTerminal([first]);
      run.request = undefined;
      if (resumed) runs.move(user, run, { ...claimed, resumed: false });
      else runs.saveState(user, Object.assign(run, claimed));
      events.append(user, run, [first], journalled);
      return record;
    });
  }

  async steps(userId: UserId, runId: RunId): Promise<readonly StepRecord[]> {
    return this.tables.readOf(userId, ({ stepReader }) => stepReader.steps(userId, runId));
  }

  suspend(
    userId: UserId,
    runId: RunId,
    fence: number,
    suspension: Suspension,
    drafts: readonly EventDraft[],
    limits: LaneLimits,
  ): Promise<SuspendOutcome> {
    return this.tables.commits.write((journalled) => {
      const nowMs = this.clock.now();
      return this.suspension.suspend({ userId, runId, fence }, suspension, drafts, { limits, nowMs }, journalled);
    });
  }

  wake(nowMs: number, limit: number, limits: LaneLimits): Promise<Woken> {
    return this.tables.commits.write((journalled) => this.suspension.wake(nowMs, limit, limits, journalled));
  }

  async nextDueMs(): Promise<number | undefined> {
    return this.tables.read(({ dues }) => dues.nextDueMs());
  }

  finish(
    userId: UserId,
    runId: RunId,
    fence: number,
    outcome: RunOutcome,
    drafts: readonly EventDraft[],
    limits: LaneLimits,
  ): Promise<{ admitted: readonly RunRef[] }> {
    return this.tables.commits.write((journalled) => {
      const { users, runs } = this.tables;
      const user = users.load(userId, this.clock.now());
      const run = liveRunUnderFence(runs, user, runId, fence);
      refuseWrongEnd(outcome.status, drafts);
      closeRun(this.tables, user, run, { outcome, drafts }, journalled);
      return { admitted: admitNext(user, limits, runs) };
    });
  }

  requeue(userId: UserId, runId: RunId, fence: number): Promise<void> {
    return this.tables.commits.write(() => {
      const { users, runs } = this.tables;
      const user = users.load(userId, this.clock.now());
      const run = liveRunUnderFence(runs, user, runId, fence);
      run.status = 'queued';
      runs.saveState(user, run);
    });
  }

  takeOver(userId: UserId, runId: RunId): Promise<RunRecord | undefined> {
    return this.tables.commits.write(() => {
      const { users, runs } = this.tables;
      const user = users.load(userId, this.clock.now());
      const run = runs.findLive(user, runId);
      if (run?.status !== 'running') return undefined;
      const record = { ...runs.record(user, run), fence: run.fence + 1 };
      run.fence += 1;
      runs.saveState(user, run);
      return record;
    });
  }

  requestCancel(
    userId: UserId,
    runId: RunId,
    by: string,
    closing: (run: RunRecord) => EventDraft,
    limits: LaneLimits,
  ): Promise<CancelRequest> {
    return this.tables.commits.write((journalled): CancelRequest => {
      const { users, runs } = this.tables;
      const user = users.load(userId, this.clock.now());
      const found = runs.find(user, runId);
      if (!found) return { outcome: 'not_found' };
      if ('ended' in found) return { outcome: 'already_ended', run: found.ended };

      const run = found.live;
      const cancelRequestedBy = run.cancelRequestedBy ?? by;
      const record: RunRecord = { ...runs.record(user, run), cancelRequestedBy };
      if (run.status === 'running') {
        if (run.cancelRequestedBy === undefined) runs.noteCancel(user, run, by);
        return { outcome: 'requested', run: record };
      }
      const last = closing(record);
      refuseWrongEnd('cancelled', [last]);
      const outcome: RunOutcome = { status: 'cancelled', endedAtMs: last.atMs, attempt: run.attempt };
      run.cancelRequestedBy = cancelRequestedBy;
      closeRun(this.tables, user, run, { outcome, drafts: [last] }, journalled);
      const { heldBy: _, ...rest } = record;
      const suspendedMs = suspendedUntil(run, last.atMs);
      const ended: RunRecord = { ...rest, status: 'cancelled', suspendedMs, endedAtMs: last.atMs };
      return { outcome: 'cancelled', run: ended, admitted: admitNext(user, limits, runs) };
    });
  }

  async lane(userId: UserId): Promise<LaneState> {
    return this.tables.readOf(userId, ({ users }) => {
      const nowMs = this.clock.now();
      const user = users.load(userId, nowMs);
      const window = isWindowOpen(user, nowMs)
        ? { starts: user.starts, windowEndsAtMs: user.windowStartMs + WINDOW_MS }
        : { starts: 0, windowEndsAtMs: 0 };
      const { admitted: running, waiting, held, suspended } = user;
      return { running, queued: waiting.size + held, suspended, ...window };
    });
  }

  async waiting(userId: UserId, limit: number): Promise<readonly RunRecord[]> {
    return this.tables.readOf(userId, ({ runReader }) => runReader.waiting(userId, limit));
  }

  async unfinished(after: RunId | undefined, limit: number): Promise<readonly (RunRef & { status: RunStatus })[]> {
    return this.tables.readOfAll(({ runReader }) => runReader.unfinished(after, limit));
  }
}
