import { Inject, Injectable, Logger } from '@nestjs/common';
import { EVENT_JOURNAL, type EventJournal } from '../events/event-journal.port.js';
import { isCarrelError } from '../shared/errors.js';
import type { RunId } from '../shared/ids.js';
import { runInLogScope } from '../shared/log-scope.js';
import type { AgentExecutionResult } from './agent-execution-result.js';
import { Readiness } from './readiness.js';
import { RUN_DISPATCHER, type RunDispatcher } from './run-dispatcher.port.js';
import { interruption } from './run-events.js';
import { RunRecorder } from './run-recorder.service.js';
import { RunRunner } from './run-runner.service.js';
import { RUN_STORE, type RunRecord, type RunStore, type UnfinishedRun } from './run-store.port.js';

const PAGE_SIZE = 500;

/**
 * Brings every accepted run that nobody carries on its way again, after a process has died or lost it: what waited is
 * dispatched, what was interrupted is run again if its agent is idempotent, and ends with `interrupted` if it is not.
 */
@Injectable()
export class RecoveryService {
  private readonly logger = new Logger(RecoveryService.name);
  /** Runs that were taken over, and could not be brought further: nobody else finds them while this process lives. */
  private readonly taken = new Set<RunRecord>();

  constructor(
    @Inject(RUN_STORE) private readonly store: RunStore,
    @Inject(EVENT_JOURNAL) private readonly journal: EventJournal,
    @Inject(RUN_DISPATCHER) private readonly dispatcher: RunDispatcher,
    private readonly runner: RunRunner,
    private readonly recorder: RunRecorder,
    private readonly readiness: Readiness,
  ) {}

  /**
   * Goes through all unfinished runs once, a page at a time, while the server already serves and until it drains.
   *
   * @param queuedForMs see `RunStore.unfinished`
   */
  async recover(queuedForMs?: number): Promise<void> {
    for (let after: RunId | undefined; ;) {
      after = await this.recoverSome(after, queuedForMs);
      if (!after || this.readiness.state === 'draining') return;
      await new Promise(setImmediate);
    }
  }

  /** @returns where to go on; undefined when there are no more */
  async recoverSome(after: RunId | undefined, queuedForMs?: number): Promise<RunId | undefined> {
    const page = await this.store.unfinished(after, PAGE_SIZE, queuedForMs);
    await this.bringAllBack(page);
    return page.length < PAGE_SIZE ? undefined : page.at(-1)?.runId;
  }

  /** What this process has given up while it could not write, though it lives: the storage has it as this process's still. */
  async recoverOwn(): Promise<void> {
    const taken = [...this.taken];
    this.taken.clear();
    await Promise.all(taken.map((run) => this.inScope(run.userId, run.id, () => this.goOn(run))));
    await this.bringAllBack(this.runner.takeGivenUp());
  }

  private async bringAllBack(runs: readonly UnfinishedRun[]): Promise<void> {
    if (runs.length === 0) return;
    await Promise.all(runs.map((run) => this.inScope(run.userId, run.runId, () => this.bringBack(run))));
    const wereRunning = runs.filter(({ status }) => status === 'running').length;
    this.logger.log({ runs: runs.length, wereRunning }, 'unfinished runs are on their way again');
  }

  private inScope(userId: RunRecord['userId'], runId: RunId, work: () => Promise<void>): Promise<void> {
    return runInLogScope({ userId, runId }, work).catch((err: unknown) =>
      this.logger.error({ err, userId, runId }, 'an unfinished run could not be recovered; it is tried again'),
    );
  }

  private async bringBack({ userId, runId, status, fence }: UnfinishedRun): Promise<void> {
    if (this.runner.holds(runId)) return; // it was begun by this process while the pages were read
    if (status !== 'running') return this.dispatcher.dispatch({ userId, runId });
    const run = await this.store.takeOver(userId, runId, fence);
    if (run) await this.goOn(run);
  }

  private async goOn(run: RunRecord): Promise<void> {
    try {
      if (await this.mayGoOn(run)) await this.dispatcher.dispatch({ userId: run.userId, runId: run.id });
    } catch (error) {
      if (isCarrelError(error) && error.code === 'run_closed') return; // it is another process's meanwhile, or over
      this.taken.add(run);
      throw error;
    }
  }

  /** @returns false when the run has ended by this */
  private async mayGoOn(run: RunRecord): Promise<boolean> {
    await this.closeOpenCalls(run);
    if (!run.cancelRequestedBy && this.runner.mayGoOnLater(run)) {
      await this.store.requeue(run.userId, run.id, run.fence);
      return true;
    }
    const facts = { context: this.runner.contextOf(run), attempt: run.attempt };
    const result: AgentExecutionResult = run.cancelRequestedBy
      ? { ...facts, status: 'cancelled', by: run.cancelRequestedBy, forced: false }
      : { ...facts, status: 'failed', error: interruption(run) };
    await this.recorder.end(
      run,
      this.recorder.emitterFor(run, () => undefined),
      result,
    );
    return false;
  }

  /** A tool call that was open when the process died is closed as an error before anything else happens in the run. */
  private async closeOpenCalls(run: RunRecord): Promise<void> {
    const open = await this.journal.openToolCalls(run.userId, run.id);
    if (open.length === 0) return;
    const emitter = this.recorder.emitterFor(run, () => undefined);
    for (const { callId } of open) {
      void emitter.emit('tool_completed', run.attempt, {
        callId,
        outcome: 'error',
        result: 'the server stopped while the tool was at work',
        durationMs: 0,
      });
    }
    await this.journal.append(run.userId, run.id, run.fence, await emitter.close());
  }
}
