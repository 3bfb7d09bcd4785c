import type { StepRecord } from '../events/step-record.js';
import type { ApprovalId } from '../shared/ids.js';
import type { Suspension } from './run-store.port.js';

/** A step that waits for a person or for time. */
export interface StepWait {
  readonly path: string;
  readonly untilMs: number;
  readonly approvalId?: ApprovalId;
  /** The step has been answered. */
  settle(record: StepRecord): void;
}

/** A step that has begun and not ended. */
export interface OpenStep {
  /** True when nothing happens in it until somebody answers or time passes. */
  atRest(): boolean;
  /** True while something in it rests, or is at work and watched itself. */
  readonly isBusy?: boolean;
}

/** What is suspended when everything in it is at rest. */
export interface RestingRun {
  isAtRest(): boolean;
  suspend(): void;
}

/**
 * The waits of one run, and when it is time to suspend it: when everything that is under way is at rest. Looked at after
 * the tick in which a step began or ended, since what follows from a step's end begins in the same tick.
 */
export class StepWaits {
  private waits: Map<string, StepWait> | undefined;
  private looking = false;

  constructor(private readonly run: RestingRun) {}

  add(wait: StepWait): void {
    (this.waits ??= new Map()).set(wait.path, wait);
  }

  remove(path: string): void {
    this.waits?.delete(path);
  }

  /** Something has begun or ended. */
  changed(): void {
    if (this.looking || !this.waits?.size) return;
    this.looking = true;
    setImmediate(() => {
      this.looking = false;
      if (this.waits?.size && this.run.isAtRest()) this.run.suspend();
    });
  }

  /** Somebody else has recorded the ends of steps. */
  answered(records: readonly StepRecord[]): void {
    for (const record of records) if (record.state === 'ok') this.waits?.get(record.path)?.settle(record);
  }

  /** What the run waits for now. */
  suspension(): Suspension & { dueMs: number } {
    const waits = [...(this.waits?.values() ?? [])];
    const sleeps = waits.filter(({ approvalId }) => approvalId === undefined).map(({ untilMs }) => untilMs);
    return {
      approvals: waits.flatMap(({ approvalId }) => approvalId ?? []),
      untilMs: sleeps.length === 0 ? undefined : Math.min(...sleeps),
      dueMs: Math.min(...waits.map(({ untilMs }) => untilMs)),
    };
  }
}
