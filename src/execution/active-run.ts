import type { StepRecord } from '../events/step-record.js';
import type { ClaimedRun, RunRef } from './run-store.port.js';
import type { StopReason } from './stop-reason.js';
import type { UserExecutionEngine } from './user-execution-engine.js';

/** A run between its claim and its end. It can be stopped before it has an engine. */
export class ActiveRun {
  /** It was handed over once more meanwhile: to be claimed again when it has left. */
  isDueAgain = false;
  /** When somebody wanted it cancelled while it was under way here. */
  cancelAskedAtMs: number | undefined;
  /** As it was claimed, when it was. */
  claimed: ClaimedRun | undefined;
  /** It may be another process's: nothing is written of it any more, not even its end. */
  isAbandoned = false;
  private engine: UserExecutionEngine | undefined;
  private stopReason: StopReason | undefined;

  constructor(readonly ref: RunRef) {}

  stop(reason: StopReason): void {
    this.stopReason ??= reason;
    this.engine?.stop(reason);
  }

  abandon(): void {
    this.isAbandoned = true;
    this.stop({ kind: 'interrupted' });
  }

  attach(engine: UserExecutionEngine): void {
    this.engine = engine;
    if (this.stopReason) engine.stop(this.stopReason);
  }

  /** Questions of the run have been answered before it was suspended. */
  answered(records: readonly StepRecord[]): void {
    this.engine?.answered(records);
  }
}
