import { Inject, Injectable } from '@nestjs/common';
import { CARREL_CONFIG, type CarrelConfig } from '../config/config.js';
import { UserExecutionContext, type UserExecutionContextFields } from '../context/user-execution-context.js';
import { CLOCK, type Clock } from '../shared/clock.js';
import { CarrelError } from '../shared/errors.js';
import { newId, whyNotUserId, type RunId, type UserId } from '../shared/ids.js';
import type { JsonValue } from '../shared/json.js';
import { RunCancel } from './run-cancel.service.js';
import { RunIntake, type TakenRun } from './run-intake.service.js';
import type { RunRequest } from './run-request.js';
import { RunScope } from './run-scope.js';
import type { LaneState } from './lane.js';
import { RUN_STORE, type RunFilter, type RunPage, type RunRecord, type RunStore } from './run-store.port.js';
import { RunWaiter, type WaitOptions } from './run-waiter.service.js';

/** A cancel that waits gives up this long after the grace period: by then the end is recorded unless the disk is not. */
const CANCEL_MARGIN_MS = 5_000;

/** The way in: starts, finds, cancels and awaits runs on behalf of a context, and only that context's user's. */
@Injectable()
export class ExecutionService {
  constructor(
    @Inject(RUN_STORE) private readonly store: RunStore,
    private readonly intake: RunIntake,
    private readonly waiter: RunWaiter,
    private readonly runCancel: RunCancel,
    @Inject(CARREL_CONFIG) private readonly config: CarrelConfig,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /**
   * Records a run and admits it to the caller's lane, or lets it wait there; when this resolves the run survives anything.
   *
   * @throws CarrelError `unknown_agent` | `unknown_pipeline` | `invalid_pipeline` | `invalid_input` | `invalid_request` |
   *   `queue_full` | `rate_limited` | `idempotency_conflict` | `thread_busy` | `draining`; nothing is stored then
   */
  submit(context: UserExecutionContext, request: RunRequest): Promise<TakenRun> {
    return this.intake.submit(context, request);
  }

  /**
   * Starts a run and waits for its end, or until the time or the caller's patience (`signal`) is over: the run goes on
   * then, and its status says so.
   *
   * @throws CarrelError whatever `submit` throws
   */
  async execute(context: UserExecutionContext, request: RunRequest, options: WaitOptions = {}): Promise<RunRecord> {
    const { run } = await this.submit(context, request);
    return this.waitForEnd(context, run.id, options);
  }

  /**
   * The result of an agent that is run once, for callers who want nothing else.
   *
   * @throws CarrelError what the run failed with; `run_closed` when it was cancelled or has not ended in time; whatever
   *   `submit` throws
   */
  async executeAgent(
    context: UserExecutionContext,
    agent: string,
    input: unknown,
    options: WaitOptions = {},
  ): Promise<JsonValue> {
    const { status, result, error } = await this.execute(context, { agent, input }, options);
    if (error)
      throw new CarrelError(error.code, error.message, {
        retryable: error.retryable,
        details: { supportCode: error.supportCode },
      });
    if (result === undefined) throw new CarrelError('run_closed', `the run has no result (${status})`);
    return result;
  }

  /**
   * A context for work that no request asked for (a job, a message of a queue, a test): your own code says whose it is.
   *
   * @throws CarrelError `invalid_request` for what can't be a user's id
   */
  contextFor(
    userId: string,
    facts: Pick<UserExecutionContextFields, 'roles' | 'claims' | 'metadata'> = {},
  ): UserExecutionContext {
    const reason = whyNotUserId(userId);
    if (reason) throw new CarrelError('invalid_request', reason);
    const createdAtMs = this.clock.now();
    return new UserExecutionContext({ ...facts, userId: userId as UserId, requestId: newId('req'), createdAtMs });
  }

  /**
   * Starts runs whose life ends with a piece of the caller's own work: those that have not ended when the scope is disposed
   * of (`await using`) are cancelled, and waited for.
   */
  scope(context: UserExecutionContext): RunScope {
    return new RunScope(context, this);
  }

  /**
   * Starts an ended run once more: a new run with the same agent or pipeline, input, thread, metadata and priority.
   * `reuseSteps`: what it has finished is not done again.
   *
   * @throws CarrelError `not_found` | `run_not_ended`; otherwise what `submit` throws
   */
  async retry(context: UserExecutionContext, runId: RunId, options: { reuseSteps: boolean }): Promise<RunRecord> {
    return this.intake.submitAgain(context, await this.find(context, runId), options.reuseSteps);
  }

  /** @throws CarrelError `not_found`, for another user's run too */
  async find(context: UserExecutionContext, runId: RunId): Promise<RunRecord> {
    const run = await this.store.find(context.userId, runId);
    if (!run) throw notFound();
    return run;
  }

  /** The caller's runs, newest first. */
  list(context: UserExecutionContext, filter: RunFilter, page: { limit: number; cursor?: string }): Promise<RunPage> {
    return this.store.list(context.userId, filter, page);
  }

  /**
   * Cancels a run. One that waits, in line or suspended, has ended when this resolves; one that runs has been told to stop, and with `wait` it
   * has ended: its work is down, or the grace period has passed and the end says `forced`.
   *
   * @throws CarrelError `not_found` | `run_ended`
   */
  async cancel(
    context: UserExecutionContext,
    runId: RunId,
    options: { wait?: boolean; signal?: AbortSignal } = {},
  ): Promise<RunRecord> {
    const { run, hasEnded } = await this.runCancel.cancel(context.userId, runId, context.userId);
    if (hasEnded || !options.wait) return run;
    const timeoutMs = this.config.runs.cancelGraceMs + CANCEL_MARGIN_MS;
    return this.waitForEnd(context, runId, { timeoutMs, signal: options.signal });
  }

  /**
   * The run as it is at its end, or as it is when the time or the caller's patience (`signal`) is over, or the server
   * stops and the run does not end by that.
   *
   * @throws CarrelError `not_found`
   */
  async waitForEnd(context: UserExecutionContext, runId: RunId, options: WaitOptions = {}): Promise<RunRecord> {
    const run = await this.waiter.waitForEnd(context.userId, runId, options);
    if (!run) throw notFound();
    return run;
  }

  /** How much of the caller's lane is in use. */
  lane(context: UserExecutionContext): Promise<LaneState> {
    return this.store.lane(context.userId);
  }

  /** The caller's waiting runs in the order in which they will be admitted. */
  waiting(context: UserExecutionContext, limit: number): Promise<readonly RunRecord[]> {
    return this.store.waiting(context.userId, limit);
  }
}

function notFound(): CarrelError {
  return new CarrelError('not_found', 'there is no such run');
}
