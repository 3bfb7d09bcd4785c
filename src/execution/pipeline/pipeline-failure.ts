import { CarrelError } from '../../shared/errors.js';

/** A step, or the output, has failed for good, and its pipeline or group with it. */
export class PipelineFailure extends CarrelError {
  constructor(message: string, options: { cause?: unknown } = {}) {
    super('pipeline_failed', message, options);
  }
}
