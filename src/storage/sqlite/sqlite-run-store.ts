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
  UnfinishedRun,
  Woken,
} from '../../execution/run-store.port.js';
import type { Clock } from '../../shared/clock.js';
import type { RunId, UserId } from '../../shared/ids.js';
import { RunSubmission } from '../run-submission.js';
import { RunSuspension } from '../run-suspension.js';
import { laneStateOf, RunTransitions } from '../run-transitions.js';
import type { SqliteTables } from './sqlite-tables.js';

/** The embedded adapter of `RunStore`: every write is one operation of the group commit. */
export class SqliteRunStore implements RunStore {
  private readonly submission: RunSubmission;
  private readonly suspension: RunSuspension;
  private readonly transitions: RunTransitions;

  constructor(
    private readonly tables: SqliteTables,
    private readonly clock: Clock,
  ) {
    this.submission = new RunSubmission(tables);
    this.suspension = new RunSuspension(tables);
    this.transitions = new RunTransitions(tables);
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
    return this.tables.commits.write((journalled) =>
      this.transitions.claim({ userId, runId }, opening, this.clock.now(), journalled),
    );
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
    return this.tables.commits.write((journalled) => {
      const { dues, approvals } = this.tables;
      const runs = dues.runs(nowMs, limit);
      const admitted = runs.flatMap((ref) => this.suspension.wake(ref, nowMs, limits));
      const expired = dues.approvals(nowMs, limit - runs.length);
      const answered: RunRef[] = [];
      for (const { approvalId } of expired) {
        const approval = approvals.find(approvalId);
        if (!approval) throw new Error(`${approvalId} is open, but its run is not there`);
        const ref = { userId: approval.user_id as UserId, runId: approval.run_id as RunId };
        const woken = this.suspension.expire(ref, approval, { limits, nowMs }, journalled);
        admitted.push(...woken.admitted);
        if (woken.running) answered.push(woken.running);
      }
      return { admitted, answered, more: runs.length + expired.length >= limit };
    });
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
      const nowMs = this.clock.now();
      return this.transitions.finish({ userId, runId, fence }, { outcome, drafts }, { limits, nowMs }, journalled);
    });
  }

  requeue(userId: UserId, runId: RunId, fence: number): Promise<void> {
    return this.tables.commits.write(() => this.transitions.requeue({ userId, runId, fence }, this.clock.now()));
  }

  takeOver(userId: UserId, runId: RunId, fence: number): Promise<RunRecord | undefined> {
    return this.tables.commits.write(() => this.transitions.takeOver({ userId, runId, fence }, this.clock.now()));
  }

  requestCancel(
    userId: UserId,
    runId: RunId,
    by: string,
    closing: (run: RunRecord) => EventDraft,
    limits: LaneLimits,
  ): Promise<CancelRequest> {
    return this.tables.commits.write((journalled) => {
      const nowMs = this.clock.now();
      return this.transitions.requestCancel({ userId, runId }, { by, closing }, { limits, nowMs }, journalled);
    });
  }

  async cancelWishes(refs: readonly RunRef[]): Promise<readonly (RunRef & { by: string })[]> {
    const runs = await Promise.all(refs.map(({ userId, runId }) => this.find(userId, runId)));
    return runs.flatMap((run) => {
      if (run?.status !== 'running' || run.cancelRequestedBy === undefined) return [];
      return { userId: run.userId, runId: run.id, by: run.cancelRequestedBy };
    });
  }

  async lane(userId: UserId): Promise<LaneState> {
    return this.tables.readOf(userId, ({ users }) => {
      const nowMs = this.clock.now();
      return laneStateOf(users.load(userId, nowMs), nowMs);
    });
  }

  async waiting(userId: UserId, limit: number): Promise<readonly RunRecord[]> {
    return this.tables.readOf(userId, ({ runReader }) => runReader.waiting(userId, limit));
  }

  async unfinished(after: RunId | undefined, limit: number): Promise<readonly UnfinishedRun[]> {
    return this.tables.readOfAll(({ runReader }) => runReader.unfinished(after, limit));
  }
}
