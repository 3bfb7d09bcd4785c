import { Inject, Injectable, Logger } from '@nestjs/common';
import { EVENT_JOURNAL, type EventJournal } from '../events/event-journal.port.js';
import type { RunId } from '../shared/ids.js';
import { runInLogScope } from '../shared/log-scope.js';
import type { AgentExecutionResult } from './agent-execution-result.js';
import { Readiness } from './readiness.js';
import { RUN_DISPATCHER, type RunDispatcher } from './run-dispatcher.port.js';
import { interruption } from './run-events.js';
import { RunRecorder } from './run-recorder.service.js';
import { RunRunner } from './run-runner.service.js';
import { RUN_STORE, type RunRecord, type RunRef, type RunStore } from './run-store.port.js';

const PAGE_SIZE = 500;

/**
 * Brings every accepted run that an earlier process left unfinished on its way again: what waited is dispatched, what
 * was interrupted is run again if its agent is idempotent, and ends with `interrupted` if it is not.
 */
@Injectable()
export class RecoveryService {
  private readonly logger = new Logger(RecoveryService.name);

  constructor(
    @Inject(RUN_STORE) private readonly store: RunStore,
    @Inject(EVENT_JOURNAL) private readonly journal: EventJournal,
    @Inject(RUN_DISPATCHER) private readonly dispatcher: RunDispatcher,
    private readonly runner: RunRunner,
    private readonly recorder: RunRecorder,
    private readonly readiness: Readiness,
  ) {}

  /** Goes through all unfinished runs once, a page at a time, while the server already serves and until it drains. */
  async recover(): Promise<void> {
    let found = 0;
    for (let after: RunId | undefined; ;) {
      const page = await this.store.unfinished(after, PAGE_SIZE);
      await Promise.all(
        page.map(({ userId, runId, status }) =>
          runInLogScope({ userId, runId }, () => this.bringBack({ userId, runId }, status === 'running')),
        ),
      );
      found += page.length;
      after = page.at(-1)?.runId;
      if (page.length < PAGE_SIZE || this.readiness.state === 'draining') break;
      await new Promise(setImmediate);
    }
    if (found > 0) this.logger.log({ runs: found }, 'unfinished runs are on their way again');
  }

  private async bringBack(ref: RunRef, wasRunning: boolean): Promise<void> {
    const { userId, runId } = ref;
    if (this.runner.holds(runId)) return; // it was begun by this process while the pages were read
    try {
      const run = wasRunning ? await this.store.takeOver(userId, runId) : undefined;
      if (run && !(await this.mayGoOn(run))) return;
      await this.dispatcher.dispatch(ref);
    } catch (err) {
      this.logger.error(
        { err, ...ref },
        'an unfinished run could not be recovered; it is tried again at the next start',
      );
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
