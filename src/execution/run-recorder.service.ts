import { Inject, Injectable, Logger } from '@nestjs/common';
import { CARREL_CONFIG, type CarrelConfig } from '../config/config.js';
import { bounded } from '../events/event-bounds.js';
import { EVENT_JOURNAL, type EventJournal } from '../events/event-journal.port.js';
import { RunEmitter } from '../events/run-emitter.js';
import { draftEvent } from '../events/run-event.js';
import type { RunError } from '../events/run-error.js';
import type { StepRecord } from '../events/step-record.js';
import { CLOCK, type Clock } from '../shared/clock.js';
import { isCarrelError } from '../shared/errors.js';
import { currentSpan } from '../shared/trace-span.js';
import type { AgentExecutionResult } from './agent-execution-result.js';
import { DueWork } from './due-work.service.js';
import { RunMeter } from './metrics/run-meter.service.js';
import { RUN_DISPATCHER, type RunDispatcher } from './run-dispatcher.port.js';
import { openingEvent, outcomeOf, terminalEvent } from './run-events.js';
import { toRunError } from './run-failure.js';
import { RUN_STORE, type ClaimedRun, type RunRecord, type RunRef, type RunStore } from './run-store.port.js';
import { Tracing } from './tracing/tracing.service.js';
import { untilStored } from './until-stored.js';
import type { RunSuspended } from './user-execution-engine.js';

/** What became of a run that was to be suspended; `answered`: it must go on at once; otherwise how it ends instead. */
export type Suspended =
  | 'suspended'
  | 'answered'
  | { readonly status: 'cancelled'; readonly by: string; readonly forced: boolean }
  | { readonly status: 'failed'; readonly error: RunError };

/** Writes what becomes of the runs that this process carries out, and hands on whoever is admitted by it. */
@Injectable()
export class RunRecorder {
  private readonly logger = new Logger('Run');
  private readonly stopping = new AbortController();

  constructor(
    @Inject(RUN_STORE) private readonly store: RunStore,
    @Inject(EVENT_JOURNAL) private readonly journal: EventJournal,
    @Inject(RUN_DISPATCHER) private readonly dispatcher: RunDispatcher,
    private readonly due: DueWork,
    private readonly meter: RunMeter,
    private readonly tracing: Tracing,
    @Inject(CARREL_CONFIG) private readonly config: CarrelConfig,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** The process is about to end: a disk that fails is not waited for any more. */
  hurry(): void {
    this.stopping.abort();
  }

  /** @param onLost called when events can't be written any more */
  emitterFor(run: RunRecord, onLost: (error: unknown) => void): RunEmitter {
    const target = { userId: run.userId, runId: run.id, fence: run.fence };
    return new RunEmitter(target, this.journal, this.clock, this.config.limits.eventDataBytes, onLost);
  }

  claim({ userId, runId }: RunRef): Promise<ClaimedRun | undefined> {
    return this.stored(() => this.store.claim(userId, runId, (run) => openingEvent(run, this.clock.now())));
  }

  steps({ userId, runId }: RunRef): Promise<readonly StepRecord[]> {
    return this.stored(() => this.store.steps(userId, runId));
  }

  async end(run: RunRecord, emitter: RunEmitter, result: AgentExecutionResult): Promise<void> {
    const now = this.clock.now();
    const events = await emitter.close();
    events.push(bounded(terminalEvent(result, run.startedAtMs ?? now, now), this.config.limits.eventDataBytes));
    const outcome = outcomeOf(result, now);
    const { admitted } = await this.stored(() =>
      this.store.finish(run.userId, run.id, run.fence, outcome, events, this.config.lane),
    );
    this.meter.end(run, result, now);
    this.trace(result);
    await this.dispatchAll(admitted);
    this.logger.log({ agent: run.agent, status: result.status, attempt: result.attempt }, 'run ended');
  }

  async suspend(run: RunRecord, emitter: RunEmitter, { attempt, suspension, dueMs }: RunSuspended): Promise<Suspended> {
    await this.writeRest(run, emitter);
    const { userId, id, fence } = run;
    const until = suspension.untilMs === undefined ? undefined : new Date(suspension.untilMs).toISOString();
    const waitsFor = suspension.approvals.length > 0 ? 'answer' : 'time';
    const event = draftEvent('agent_suspended', { waitsFor, until }, { attempt, atMs: this.clock.now() });
    try {
      const end = await this.stored(() => this.store.suspend(userId, id, fence, suspension, [event], this.config.lane));
      if (end.outcome === 'answered') return 'answered';
      if (end.outcome === 'cancel_requested') return { status: 'cancelled', by: end.by, forced: false };
      this.due.lookAgain(dueMs);
      await this.dispatchAll(end.admitted);
      currentSpan()?.set({ 'carrel.run.status': 'suspended' });
      this.logger.log({ agent: run.agent, waitsFor, until }, 'run suspended');
      return 'suspended';
    } catch (error) {
      if (!isCarrelError(error) || error.code !== 'too_many_suspended') throw error;
      return { status: 'failed', error: toRunError(error, run) };
    }
  }

  /** Puts an interrupted run back to those that wait for a process, and sends it to whichever takes it. */
  async putBack(run: RunRecord, emitter: RunEmitter, attempt: number): Promise<void> {
    await this.writeRest(run, emitter);
    await this.store.requeue(run.userId, run.id, run.fence);
    await this.dispatcher.dispatch({ userId: run.userId, runId: run.id });
    this.logger.log(
      { agent: run.agent, attempt },
      'run put back; it goes on in another process, or when this one is back',
    );
  }

  private trace(result: AgentExecutionResult): void {
    const span = currentSpan();
    if (!span) return;
    span.set({ 'carrel.run.status': result.status, ...('result' in result && this.tracing.resultOf(result.result)) });
    if ('error' in result) span.failed(result.error.code);
  }

  private async writeRest({ userId, id, fence }: RunRecord, emitter: RunEmitter): Promise<void> {
    const rest = await emitter.close();
    if (rest.length > 0) await this.stored(() => this.journal.append(userId, id, fence, rest));
  }

  private async dispatchAll(refs: readonly RunRef[]): Promise<void> {
    for (const ref of refs) await this.dispatcher.dispatch(ref);
  }

  /** The slot is kept meanwhile: a server whose disk fails must not begin ever more runs. */
  private stored<Result>(write: () => Promise<Result>): Promise<Result> {
    return untilStored(write, this.clock, this.stopping.signal);
  }
}
