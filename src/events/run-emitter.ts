import type { Clock } from '../shared/clock.js';
import { CarrelError } from '../shared/errors.js';
import type { RunId, UserId } from '../shared/ids.js';
import { bounded } from './event-bounds.js';
import type { EventJournal } from './event-journal.port.js';
import { draftEvent, type EventDraft, type RunEventData, type RunEventType } from './run-event.js';
import type { StepRecord } from './step-record.js';

/** Events that may be on their way to the disk before an emitter makes its agent wait. */
const HIGH_WATER = 64;
/** Events that an agent may emit without ever waiting: beyond it the run fails, for the memory is everybody's. */
const OVERFLOW = 1_000;
/** Deltas that come within this time are one event. */
const DELTA_GATHER_MS = 15;
const DELTA_MAX_LENGTH = 4_096;
/** What a character of a text may become in JSON, and what stands around the text, in bytes. */
const MAX_BYTES_PER_CHAR = 6;
const DELTA_FRAME_BYTES = 16;

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
  private delta: { attempt: number; step: string | undefined; text: string; cancelTimer: () => void } | undefined;
  /** Settles with what is pending now. */
  private written: PromiseWithResolvers<void> | undefined;
  private flushScheduled = false;
  private flushing: Promise<void> = DONE;
  private inFlight = 0;
  private onDisk = 0;
  /** `lost`: the agent can add nothing more, but what it began is still ended in the record. */
  private readonly deltaLength: number;
  private state: 'open' | 'lost' | 'closed' = 'open';

  /**
   * @param onLost called when events could not be written: the run has ended elsewhere, the disk fails, or too many are waiting
   */
  constructor(
    private readonly target: EmitterTarget,
    private readonly journal: EventJournal,
    private readonly clock: Clock,
    private readonly maxDataBytes: number,
    private readonly onLost: (error: unknown) => void,
  ) {
    this.deltaLength = Math.min(DELTA_MAX_LENGTH, Math.floor((maxDataBytes - DELTA_FRAME_BYTES) / MAX_BYTES_PER_CHAR));
  }

  /**
   * @param records what is recorded of steps together with the event
   * @returns at once, or when the disk has caught up; rejects when the event is not taken, because the run has ended or
   *   its agent emits without ever waiting
   */
  emit<Type extends RunEventType>(
    type: Type,
    attempt: number,
    data: RunEventData[Type] & object,
    step?: string,
    records?: readonly StepRecord[],
  ): Promise<void> {
    const refusal = this.refusal(type);
    if (refusal) return quietly(Promise.reject(refusal));
    this.add(type, data, { attempt, step, records });
    return this.scheduled();
  }

  /** The same, but resolves when all of it is on disk. */
  record<Type extends RunEventType>(
    type: Type,
    attempt: number,
    data: RunEventData[Type] & object,
    step: string | undefined,
    records: readonly StepRecord[],
  ): Promise<void> {
    const refusal = this.refusal(type);
    if (refusal) return quietly(Promise.reject(refusal));
    this.add(type, data, { attempt, step, records });
    return this.whenWritten();
  }

  /** How many events it has taken. */
  get taken(): number {
    return this.onDisk + this.inFlight + this.pending.length;
  }

  /** Resolves when the first so many that it has taken are on disk. */
  async whenOnDisk(taken: number): Promise<void> {
    while (this.onDisk < taken) {
      if (this.state !== 'open') throw new CarrelError('run_closed');
      if (this.onDisk + this.inFlight >= taken) await this.flushing;
      else await this.whenWritten();
    }
  }

  /** Adds to the agent's message; see `emit`. */
  addDelta(attempt: number, text: string, step?: string): Promise<void> {
    const refusal = this.refusal('agent_message_delta');
    if (refusal) return quietly(Promise.reject(refusal));
    if (this.delta?.attempt !== attempt || this.delta.step !== step) this.gatherDelta();
    this.delta ??= {
      attempt,
      step,
      text: '',
      cancelTimer: this.clock.after(DELTA_GATHER_MS, () => this.deltaTimeIsUp()),
    };
    this.delta.text += text;
    if (this.delta.text.length < this.deltaLength) return DONE;
    this.gatherDelta();
    return this.scheduled();
  }

  /**
   * Ends the emitter and waits for what is on its way to the journal. What has not got there is handed over, to be
   * written with the run's end.
   */
  async close(): Promise<EventDraft[]> {
    this.gatherDelta();
    this.state = 'closed';
    this.written?.reject(new CarrelError('run_closed'));
    if (this.inFlight > 0) await this.flushing;
    return this.pending.splice(0);
  }

  private whenWritten(): Promise<void> {
    this.written ??= Promise.withResolvers();
    void this.scheduled();
    return quietly(this.written.promise);
  }

  private add<Type extends RunEventType>(
    type: Type,
    data: RunEventData[Type] & object,
    place: { attempt: number; step?: string; records?: readonly StepRecord[] },
  ): void {
    this.gatherDelta();
    this.pending.push(bounded(draftEvent(type, data, { ...place, atMs: this.clock.now() }), this.maxDataBytes));
  }

  private refusal(type: RunEventType): CarrelError | undefined {
    if (this.state === 'closed') return new CarrelError('run_closed');
    if (type === 'tool_completed') return undefined; // there is one at most for each call that was let in
    if (this.state === 'lost') return new CarrelError('run_closed');
    if (this.pending.length + this.inFlight < OVERFLOW) return undefined;
    const text = `the agent emitted ${OVERFLOW} events without awaiting one`;
    const error = new CarrelError('agent_failed', text, { retryable: false });
    this.lose(error);
    return error;
  }

  private deltaTimeIsUp(): void {
    this.gatherDelta();
    void this.scheduled();
  }

  private gatherDelta(): void {
    if (!this.delta) return;
    const { attempt, step, text, cancelTimer } = this.delta;
    cancelTimer();
    this.delta = undefined;
    for (let from = 0; from < text.length; from += this.deltaLength) {
      const part = { text: text.slice(from, from + this.deltaLength) };
      this.pending.push(draftEvent('agent_message_delta', part, { attempt, step, atMs: this.clock.now() }));
    }
  }

  private scheduled(): Promise<void> {
    if (!this.flushScheduled && this.state === 'open') {
      this.flushScheduled = true;
      setImmediate(() => this.flush());
    }
    return this.pending.length + this.inFlight < HIGH_WATER ? DONE : this.flushed();
  }

  private async flushed(): Promise<void> {
    await new Promise(setImmediate);
    await this.flushing;
  }

  /** One write at a time, so that what a failing disk has refused can't be overtaken. */
  private flush(): void {
    this.flushScheduled = false;
    if (this.state !== 'open' || this.inFlight > 0 || this.pending.length === 0) return;
    const { pending: drafts, written } = this;
    this.pending = [];
    this.written = undefined;
    this.inFlight = drafts.length;
    const { userId, runId, fence } = this.target;
    this.flushing = this.journal.append(userId, runId, fence, drafts).then(
      () => {
        this.inFlight = 0;
        this.onDisk += drafts.length;
        written?.resolve();
        if (this.pending.length > 0) void this.scheduled();
      },
      (error: unknown) => {
        this.inFlight = 0;
        written?.reject(error);
        this.pending = [...drafts, ...this.pending];
        this.lose(error);
      },
    );
  }

  private lose(error: unknown): void {
    if (this.state === 'open') this.state = 'lost';
    this.gatherDelta();
    this.onLost(error);
  }
}

/** A rejection that nobody waits for must not end the process. */
function quietly(promise: Promise<void>): Promise<void> {
  promise.catch(() => undefined);
  return promise;
}
