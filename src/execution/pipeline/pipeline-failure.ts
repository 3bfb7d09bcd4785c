import { CarrelError } from '../../shared/errors.js';

/** A step, or the output, has failed for good, and its pipeline or group with it. */
export class PipelineFailure extends CarrelError {
  /** @param options.retryable whether a group that may be tried again is: when what has failed in it may succeed then */
  constructor(message: string, options: { cause?: unknown; retryable?: boolean } = {}) {
    super('pipeline_failed', message, options);
  }
}
