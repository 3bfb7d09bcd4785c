import type { ClaimedRun, RunRef } from './run-store.port.js';

export const RUN_DISPATCHER = Symbol('RUN_DISPATCHER');

/** What a dispatcher calls in the process that it has chosen. */
export interface RunConsumer {
  /** Carries a run out, which it claims first unless it comes claimed; the slot is taken until it settles. */
  run(ref: RunRef, claimed?: ClaimedRun): Promise<void>;
  /** Somebody wants the run cancelled: a process that does not run it does nothing. */
  cancel(ref: RunRef, by: string): void;
  /** A question of the run was answered before it was suspended: a process that does not run it does nothing. */
  answered(ref: RunRef): void;
}

/** A slot of this process that is kept free for one run. Either method must be called, once. */
export interface ReservedSlot {
  /** Carries out the run, which was claimed for this process. */
  begin(run: ClaimedRun): void;
  release(): void;
}

/** Carries admitted runs to a process with a free slot, fairly between users. Holds nothing that the store does not know. */
export interface RunDispatcher {
  /** Registers this process's consumer and begins to hand it runs; again, after `stop`. */
  start(consumer: RunConsumer): Promise<void>;

  /** Takes an admitted run. One that is given twice is carried out once: the second claim finds it running. */
  dispatch(ref: RunRef): Promise<void>;

  /**
   * Keeps a free slot of this process for a run that is about to be submitted, so that it needs no claim of its own;
   * undefined when there is none, or when others wait for it.
   */
  reserve(): ReservedSlot | undefined;

  /** Tells all processes. */
  cancel(ref: RunRef, by: string): Promise<void>;

  /** Tells all processes. */
  answered(ref: RunRef): Promise<void>;

  /** The place in line, from 1, of a run that would be dispatched now; 0 when a slot is free for it. */
  placeInLine(): number;

  /** Hands out no more runs; those under way go on. Resolves when no slot is kept any more for a run that might begin. */
  stop(): Promise<void>;
}
