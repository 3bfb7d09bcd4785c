import { Inject, Injectable } from '@nestjs/common';
import { CARREL_CONFIG, type CarrelConfig } from '../config/config.js';
import type { UserExecutionContext } from '../context/user-execution-context.js';
import { CarrelError } from '../shared/errors.js';
import type { UserId } from '../shared/ids.js';
import { RunMeter } from './metrics/run-meter.service.js';
import { Switchboard } from './operations/switchboard.js';
import { DueWork } from './due-work.service.js';
import { Readiness } from './readiness.js';
import { RUN_DISPATCHER, type RunDispatcher } from './run-dispatcher.port.js';
import { openingEvent } from './run-events.js';
import { RunPreparation, type PreparedRun } from './run-preparation.service.js';
import type { RunRequest } from './run-request.js';
import { isTerminal } from './run-status.js';
import { RUN_STORE, type ClaimedRun, type RunRecord, type RunStore, type Submitted } from './run-store.port.js';

export interface TakenRun {
  run: RunRecord;
  /** True when the idempotency key named a run that was there already. */
  replayed: boolean;
}

/** Takes requests in: prepares runs, records them, and sets in motion what follows from that. */
@Injectable()
export class RunIntake {
  constructor(
    @Inject(RUN_STORE) private readonly store: RunStore,
    @Inject(RUN_DISPATCHER) private readonly dispatcher: RunDispatcher,
    private readonly preparation: RunPreparation,
    private readonly dueWork: DueWork,
    private readonly readiness: Readiness,
    private readonly switchboard: Switchboard,
    private readonly meter: RunMeter,
    @Inject(CARREL_CONFIG) private readonly config: CarrelConfig,
  ) {}

  /** @throws CarrelError whatever `RunPreparation.prepare` and `take` throw; nothing is stored then */
  async submit(context: UserExecutionContext, request: RunRequest): Promise<TakenRun> {
    try {
      this.refuseWhenDraining();
      return await this.take(context.userId, await this.preparation.prepare(context, request));
    } catch (error) {
      this.meter.refusedStart(error);
      throw error;
    }
  }

  /** @throws CarrelError `run_not_ended`; whatever `RunPreparation.prepareAgain` and `take` throw; nothing is stored then */
  async submitAgain(context: UserExecutionContext, run: RunRecord, reuseSteps: boolean): Promise<RunRecord> {
    this.refuseWhenDraining();
    if (!isTerminal(run.status)) {
      const text = `the run has not ended (${run.status}): wait for its end, or cancel it first`;
      throw new CarrelError('run_not_ended', text);
    }
    const taken = await this.take(context.userId, await this.preparation.prepareAgain(context, run, reuseSteps));
    return taken.run;
  }

  /**
   * @throws CarrelError `queue_full` | `rate_limited` | `idempotency_conflict` | `thread_busy` | `agent_disabled` |
   *   `user_suspended` | `draining`; nothing is stored then
   */
  async take(userId: UserId, run: PreparedRun): Promise<TakenRun> {
    this.refuseWhenDraining();
    this.switchboard.assertMayStart(userId, run.agent);
    const submitted = await this.record(userId, run);
    for (const ref of submitted.interrupted) await this.dispatcher.cancel(ref, userId);
    for (const ref of submitted.admittedBeside) await this.dispatcher.dispatch(ref);
    if (submitted.admitted && !submitted.claimed) await this.dispatcher.dispatch({ userId, runId: submitted.run.id });
    if (run.notBeforeMs !== undefined) this.dueWork.lookAgain(run.notBeforeMs);
    return { run: submitted.run, replayed: submitted.replayed };
  }

  private refuseWhenDraining(): void {
    if (this.readiness.state === 'draining') throw new CarrelError('draining', undefined, { retryAfterMs: 1_000 });
  }

  /** With a slot at hand the run is submitted and claimed in one transaction, which saves another one and a wait. */
  private async record(userId: UserId, run: PreparedRun): Promise<Submitted> {
    const mayBeginAtOnce = run.notBeforeMs === undefined && !run.reuseSteps;
    const slot = mayBeginAtOnce ? this.dispatcher.reserve() : undefined;
    const opening = slot && ((claimed: ClaimedRun) => openingEvent(claimed, claimed.createdAtMs));
    const placeInLine = slot ? 0 : this.dispatcher.placeInLine();
    const submitted = await this.store
      .submit(userId, { ...run, placeInLine, opening }, this.config.lane)
      .catch((error: unknown) => {
        slot?.release();
        throw error;
      });
    if (submitted.claimed) slot?.begin({ ...submitted.run, resumed: false, hasSteps: false });
    else slot?.release();
    return submitted;
  }
}
