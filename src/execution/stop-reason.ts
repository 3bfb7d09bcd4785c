import { CarrelError, isCarrelError, type ErrorCode } from '../shared/errors.js';

/** Why an attempt is stopped from outside, before it has ended by itself. */
export type StopReason =
  | { kind: 'cancelled'; by: string }
  /** The process is about to end. */
  | { kind: 'interrupted' }
  /** Everything that is under way waits for a person or for time. */
  | { kind: 'suspended' }
  /** The run or the step that it is inside of was stopped, or it is not needed any more. */
  | { kind: 'above'; error: unknown }
  | {
      kind: 'timed_out';
      code: Extract<ErrorCode, 'attempt_timed_out' | 'run_timed_out' | 'no_progress'>;
      limitMs: number;
    }
  /** The journal takes no more events of this run. */
  | { kind: 'lost'; error: unknown };

/** What the agent's signal is aborted with, and what a timed-out run reports. */
export function stopError(reason: StopReason): CarrelError {
  switch (reason.kind) {
    case 'cancelled':
      return new CarrelError('run_closed', `the run was cancelled by ${reason.by}`);
    case 'interrupted':
      return new CarrelError('interrupted');
    case 'suspended':
      return new CarrelError('run_closed', 'the run is suspended; it goes on from the top when it is answered');
    case 'above':
      return isCarrelError(reason.error)
        ? reason.error
        : new CarrelError('run_closed', 'the run was stopped', { cause: reason.error });
    case 'timed_out':
      return new CarrelError(reason.code, `${TIME_OUT_TEXTS[reason.code]} (${reason.limitMs} ms)`);
    case 'lost':
      return reason.error instanceof CarrelError
        ? reason.error
        : new CarrelError('internal', undefined, { cause: reason.error });
  }
}

const TIME_OUT_TEXTS = {
  attempt_timed_out: 'the attempt took longer than the agent allows',
  run_timed_out: 'the run reached its deadline',
  no_progress: 'the agent showed no progress and was declared dead',
} as const;
