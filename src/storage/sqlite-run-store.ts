import { draftEvent, type EventDraft } from '../events/run-event.js';
import type {
  CancelRequest,
  LaneLimits,
  LaneState,
  NewRun,
  RunFilter,
  RunOutcome,
  RunPage,
  RunRecord,
  RunRef,
  RunStore,
  Submitted,
} from '../execution/run-store.port.js';
import type { RunStatus } from '../execution/run-status.js';
import type { Clock } from '../shared/clock.js';
import { CarrelError } from '../shared/errors.js';
import type { RunId, UserId } from '../shared/ids.js';
import { decidePlace, isWindowOpen, releasePlace, takePlace } from './lane.js';
import { liveRunUnderFence, refuseTerminal, refuseWrongEnd } from './run-rules.js';
import type { SqliteTables } from './sqlite-tables.js';
import { WINDOW_MS, type UserState } from './user-table.js';

/** The embedded adapter of `RunStore`: every write is one operation of the group commit. */
export class SqliteRunStore implements RunStore {
  constructor(
    private readonly tables: SqliteTables,
    private readonly clock: Clock,
  ) {}

  submit(userId: UserId, run: NewRun, limits: LaneLimits): Promise<Submitted> {
    return this.tables.commits.write((journalled) => {
      const { users, threads, runs, events } = this.tables;
      const nowMs = this.clock.now();
      const user = users.load(userId, nowMs);
      const replayed = run.idempotency && this.replay(user, run.idempotency);
      if (replayed) return replayed;

      const admitted = decidePlace(user, limits, nowMs);
      users.store(user);
      takePlace(user, admitted, nowMs);
      const threadKey = threads.ensure(user, run.threadId, run.createdAtMs);
      const claimed = admitted && run.opening !== undefined;
      const { live, record } = runs.insert(user, threadKey, run, { admitted, claimed });
      const first = claimed ? run.opening?.(record) : queuedEvent(user, run, admitted);
      if (first) events.append(user, live, [first], journalled);
      return { run: record, admitted, claimed, replayed: false };
    });
  }

  async find(userId: UserId, runId: RunId): Promise<RunRecord | undefined> {
    return this.tables.read(({ runReader }) => runReader.find(userId, runId));
  }

  async list(userId: UserId, filter: RunFilter, page: { limit: number; cursor?: string }): Promise<RunPage> {
    return this.tables.read(({ runReader }) => runReader.list(userId, filter, page));
  }

  claim(userId: UserId, runId: RunId, opening: (run: RunRecord) => EventDraft): Promise<RunRecord | undefined> {
    return this.tables.commits.write((journalled) => {
      const { users, runs, events } = this.tables;
      const nowMs = this.clock.now();
      const user = users.load(userId, nowMs);
      const run = runs.findLive(user, runId);
      if (!run || run.status !== 'queued' || !run.admitted) return undefined;

      const claimed = {
        status: 'running' as const,
        attempt: run.attempt + 1,
        fence: run.fence + 1,
        startedAtMs: run.startedAtMs ?? nowMs,
      };
      const record: RunRecord = { ...runs.record(user, run), ...claimed };
      const first = opening(record);
      refuseTerminal([first]);
      runs.saveState(user, Object.assign(run, claimed, { request: undefined }));
      events.append(user, run, [first], journalled);
      return record;
    });
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
      const { users, runs, events } = this.tables;
      const user = users.load(userId, this.clock.now());
      const run = liveRunUnderFence(runs, user, runId, fence);
      refuseWrongEnd(outcome.status, drafts);
      events.append(user, run, drafts, journalled);
      runs.end(user, run, outcome);
      return { admitted: releasePlace(user, run, limits, runs) };
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
      const { users, runs, events } = this.tables;
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
      events.append(user, run, [last], journalled);
      runs.end(user, run, outcome);
      const ended: RunRecord = { ...record, status: 'cancelled', endedAtMs: last.atMs };
      return { outcome: 'cancelled', run: ended, admitted: releasePlace(user, run, limits, runs) };
    });
  }

  async lane(userId: UserId): Promise<LaneState> {
    return this.tables.read(({ users }) => {
      const nowMs = this.clock.now();
      const user = users.load(userId, nowMs);
      const window = isWindowOpen(user, nowMs)
        ? { starts: user.starts, windowEndsAtMs: user.windowStartMs + WINDOW_MS }
        : { starts: 0, windowEndsAtMs: 0 };
      return { running: user.admitted, queued: user.waiting, ...window };
    });
  }

  async waiting(userId: UserId, limit: number): Promise<readonly RunRecord[]> {
    return this.tables.read(({ runReader }) => runReader.waiting(userId, limit));
  }

  async unfinished(after: RunId | undefined, limit: number): Promise<readonly (RunRef & { status: RunStatus })[]> {
    return this.tables.read(({ runReader }) => runReader.unfinished(after, limit));
  }

  private replay(user: UserState, { key, fingerprint }: { key: string; fingerprint: string }): Submitted | undefined {
    const earlier = this.tables.runs.findByIdempotencyKey(user, key);
    if (!earlier) return undefined;
    if (earlier.fingerprint !== fingerprint) {
      throw new CarrelError(
        'idempotency_conflict',
        `you have used this idempotency key for another request, ${earlier.run.id}: use a new one`,
      );
    }
    return { run: earlier.run, admitted: false, claimed: false, replayed: true };
  }
}

/** What a new run is told when it has to wait, for its own user's share or for a free slot. */
function queuedEvent(user: UserState, run: NewRun, admitted: boolean): EventDraft | undefined {
  const facts = { attempt: 0, atMs: run.createdAtMs };
  if (!admitted) return draftEvent('agent_queued', { position: user.waiting, reason: 'user_limit' }, facts);
  if (run.placeInLine > 0)
    return draftEvent('agent_queued', { position: run.placeInLine, reason: 'server_busy' }, facts);
  return undefined;
}
