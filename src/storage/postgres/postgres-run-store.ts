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
import { dueApprovals, dueRuns, nextDueMs, type DueApproval } from './due-reader.js';
import type { PostgresCommits } from './postgres-commits.js';
import type { PostgresDatabase } from './postgres-database.js';
import { PostgresRunReader } from './postgres-run-reader.js';
import { lookAtUser } from './postgres-user.js';
import { stepsOf } from './step-reader.js';

/** The distributed adapter of `RunStore`: every write is one operation of this process's next transaction. */
export class PostgresRunStore implements RunStore {
  private readonly reader: PostgresRunReader;

  constructor(
    private readonly database: PostgresDatabase,
    private readonly commits: PostgresCommits,
    private readonly clock: Clock,
  ) {
    this.reader = new PostgresRunReader(database);
  }

  submit(userId: UserId, run: NewRun, limits: LaneLimits): Promise<Submitted> {
    const need = { userId, enlist: true, idempotencyKey: run.idempotency?.key };
    const retried = run.reuseSteps ? { ...need, runId: run.retryOf } : need;
    return this.commits.write(retried, (tables, journalled) =>
      new RunSubmission(tables).submit(userId, run, limits, this.clock.now(), journalled),
    );
  }

  find(userId: UserId, runId: RunId): Promise<RunRecord | undefined> {
    return this.reader.find(userId, runId);
  }

  list(userId: UserId, filter: RunFilter, page: { limit: number; cursor?: string }): Promise<RunPage> {
    return this.reader.list(userId, filter, page);
  }

  claim(userId: UserId, runId: RunId, opening: (run: ClaimedRun) => EventDraft): Promise<ClaimedRun | undefined> {
    return this.commits.write({ userId, runId }, (tables, journalled) =>
      new RunTransitions(tables).claim({ userId, runId }, opening, this.clock.now(), journalled),
    );
  }

  steps(userId: UserId, runId: RunId): Promise<readonly StepRecord[]> {
    return stepsOf(this.database, userId, runId);
  }

  suspend(
    userId: UserId,
    runId: RunId,
    fence: number,
    suspension: Suspension,
    drafts: readonly EventDraft[],
    limits: LaneLimits,
  ): Promise<SuspendOutcome> {
    return this.commits.write({ userId }, (tables, journalled) => {
      const nowMs = this.clock.now();
      const held = { userId, runId, fence };
      return new RunSuspension(tables).suspend(held, suspension, drafts, { limits, nowMs }, journalled);
    });
  }

  async wake(nowMs: number, limit: number, limits: LaneLimits): Promise<Woken> {
    const runs = await dueRuns(this.database, nowMs, limit);
    const approvals = await dueApprovals(this.database, nowMs, limit - runs.length);
    const woken = await Promise.all([
      ...runs.map(async (ref) => ({ admitted: await this.wakeRun(ref, nowMs, limits), running: undefined })),
      ...approvals.map((approval) => this.expire(approval, nowMs, limits)),
    ]);
    return {
      admitted: woken.flatMap(({ admitted }) => admitted),
      answered: woken.flatMap(({ running }) => running ?? []),
      more: runs.length + approvals.length >= limit,
    };
  }

  nextDueMs(): Promise<number | undefined> {
    return nextDueMs(this.database);
  }

  finish(
    userId: UserId,
    runId: RunId,
    fence: number,
    outcome: RunOutcome,
    drafts: readonly EventDraft[],
    limits: LaneLimits,
  ): Promise<{ admitted: readonly RunRef[] }> {
    return this.commits.write({ userId }, (tables, journalled) => {
      const nowMs = this.clock.now();
      const held = { userId, runId, fence };
      return new RunTransitions(tables).finish(held, { outcome, drafts }, { limits, nowMs }, journalled);
    });
  }

  requeue(userId: UserId, runId: RunId, fence: number): Promise<void> {
    return this.commits.write({ userId }, (tables) =>
      new RunTransitions(tables).requeue({ userId, runId, fence }, this.clock.now()),
    );
  }

  takeOver(userId: UserId, runId: RunId, fence: number): Promise<RunRecord | undefined> {
    return this.commits.write({ userId, runId }, (tables) =>
      new RunTransitions(tables).takeOver({ userId, runId, fence }, this.clock.now()),
    );
  }

  requestCancel(
    userId: UserId,
    runId: RunId,
    by: string,
    closing: (run: RunRecord) => EventDraft,
    limits: LaneLimits,
  ): Promise<CancelRequest> {
    return this.commits.write({ userId, runId }, (tables, journalled) => {
      const nowMs = this.clock.now();
      return new RunTransitions(tables).requestCancel(
        { userId, runId },
        { by, closing },
        { limits, nowMs },
        journalled,
      );
    });
  }

  cancelWishes(runs: readonly RunRef[]): Promise<readonly (RunRef & { by: string })[]> {
    return this.reader.cancelWishes(runs);
  }

  async lane(userId: UserId): Promise<LaneState> {
    return laneStateOf(await lookAtUser(this.database, userId), this.clock.now());
  }

  waiting(userId: UserId, limit: number): Promise<readonly RunRecord[]> {
    return this.reader.waiting(userId, limit);
  }

  /** Those that no living node carries. */
  unfinished(after: RunId | undefined, limit: number, queuedForMs = 0): Promise<readonly UnfinishedRun[]> {
    return this.reader.unfinished(after, limit, queuedForMs);
  }

  /** Another node may have woken it meanwhile. */
  private wakeRun(ref: RunRef, nowMs: number, limits: LaneLimits): Promise<RunRef[]> {
    const { userId, runId } = ref;
    return this.commits.write({ userId }, (tables) => {
      const { dueAtMs } = tables.users.load(userId).live.get(runId) ?? {};
      if (dueAtMs === undefined || dueAtMs > nowMs) return [];
      return new RunSuspension(tables).wake(ref, nowMs, limits);
    });
  }

  /** Another node may have closed it meanwhile. */
  private expire(
    approval: DueApproval,
    nowMs: number,
    limits: LaneLimits,
  ): Promise<{ admitted: RunRef[]; running?: RunRef }> {
    const { userId, runId, id } = approval;
    return this.commits.write({ userId }, (tables, journalled) => {
      const open = tables.users
        .load(userId)
        .questions.get(runId)
        ?.find((question) => question.id === id && question.isOpen);
      if (!open) return { admitted: [] };
      return new RunSuspension(tables).expire({ userId, runId }, open, { limits, nowMs }, journalled);
    });
  }
}
