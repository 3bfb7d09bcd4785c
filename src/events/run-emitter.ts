import type { Clock } from '../shared/clock.js';
import { CarrelError } from '../shared/errors.js';
import type { RunId, UserId } from '../shared/ids.js';
import { bounded } from './event-bounds.js';
import type { EventJournal } from './event-journal.port.js';
import { draftEvent, type EventDraft, type RunEventData, type RunEventType } from './run-event.js';

/** Events that may be on their way to the disk before an emitter makes its agent wait. */
const HIGH_WATER = 64;
/** Events that an agent may emit without ever waiting: beyond it the run fails, for the memory is everybody's. */
const OVERFLOW = 1_000;
/** Deltas that come within this time are one event. */
const DELTA_GATHER_MS = 15;
const DELTA_MAX_LENGTH = 4_096;

const DONE = Promise.resolve();

export interface EmitterTarget {
  userId: UserId;
  runId: RunId;
  /** From `RunStore.claim`. */
  fence: number;
}

/**
 * Emits one run's events, in order. It is bound to its user and run when it is made, so that nothing that emits can
 * name another. What arises in one tick goes to the journal as one write, or with the run's end if that comes first.
 */
export class RunEmitter {
  private pending: EventDraft[] = [];
  private deltaText = '';
  private cancelDeltaTimer: (() => void) | undefined;
  private flushScheduled = false;
  private flushing: Promise<void> = DONE;
  private inFlight = 0;
  private closed = false;

  /**
   * @param onLost called when events could not be written: the run has ended elsewhere, the disk fails, or too many are waiting
   */
  constructor(
    private readonly target: EmitterTarget,
    private readonly journal: EventJournal,
    private readonly clock: Clock,
    private readonly maxDataBytes: number,
    private readonly onLost: (error: unknown) => void,
  ) {}

  /**
   * @returns at once, or when the disk has caught up; rejects when the run has ended or emits without ever waiting
   */
  emit<Type extends RunEventType>(type: Type, attempt: number, data: RunEventData[Type] & object): Promise<void> {
    if (this.closed) return quietly(Promise.reject(new CarrelError('run_closed')));
    this.gatherDelta(attempt);
    this.pending.push(bounded(draftEvent(type, data, { attempt, atMs: this.clock.now() }), this.maxDataBytes));
    return this.scheduled();
  }

  delta(attempt: number, text: string): Promise<void> {
    if (this.closed) return quietly(Promise.reject(new CarrelError('run_closed')));
    this.deltaText += text;
    if (this.deltaText.length >= DELTA_MAX_LENGTH) {
      this.gatherDelta(attempt);
      return this.scheduled();
    }
    this.cancelDeltaTimer ??= this.clock.after(DELTA_GATHER_MS, () => {
      this.gatherDelta(attempt);
      void this.scheduled();
    });
    return DONE;
  }

  /** Ends the emitter; what has not gone to the journal yet is handed over, to be written with the run's end. */
  close(attempt: number): EventDraft[] {
    this.gatherDelta(attempt);
    this.closed = true;
    const rest = this.pending;
    this.pending = [];
    return rest;
  }

  private gatherDelta(attempt: number): void {
    this.cancelDeltaTimer?.();
    this.cancelDeltaTimer = undefined;
    for (let text = this.deltaText; text; text = text.slice(DELTA_MAX_LENGTH)) {
      const part = { text: text.slice(0, DELTA_MAX_LENGTH) };
      this.pending.push(draftEvent('agent_message_delta', part, { attempt, atMs: this.clock.now() }));
    }
    this.deltaText = '';
  }

  private scheduled(): Promise<void> {
    if (!this.flushScheduled && !this.closed) {
      this.flushScheduled = true;
      setImmediate(() => this.flush());
    }
    const outstanding = this.pending.length + this.inFlight;
    if (outstanding < HIGH_WATER) return DONE;
    if (outstanding < OVERFLOW) return quietly(this.flushed());
    const error = new CarrelError('agent_failed', `the agent emitted ${OVERFLOW} events without awaiting one`);
    this.lose(error);
    return quietly(Promise.reject(error));
  }

  private async flushed(): Promise<void> {
    await new Promise(setImmediate);
    await this.flushing;
  }

  private flush(): void {
    this.flushScheduled = false;
    if (this.closed || this.pending.length === 0) return;
    const drafts = this.pending;
    this.pending = [];
    this.inFlight += drafts.length;
    const { userId, runId, fence } = this.target;
    this.flushing = this.journal
      .append(userId, runId, fence, drafts)
      .catch((error: unknown) => this.lose(error))
      .finally(() => (this.inFlight -= drafts.length));
  }

  private lose(error: unknown): void {
    this.closed = true;
    this.cancelDeltaTimer?.();
    this.onLost(error);
  }
}

/** A rejection that nobody waits for must not end the process. */
function quietly(promise: Promise<void>): Promise<void> {
  promise.catch(() => undefined);
  return promise;
}
