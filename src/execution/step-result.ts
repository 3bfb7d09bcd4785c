import { CarrelError } from '../shared/errors.js';
import type { JsonValue } from '../shared/json.js';
import type { StepEnd } from './step-scope.js';

/** What a step has come to: its result, or what it has failed with. */
export async function resultOfStep(step: Promise<StepEnd>): Promise<JsonValue | undefined> {
  const end = await step;
  switch (end.outcome) {
    case 'ok':
      return end.result;
    case 'failed':
      throw end.cause;
    case 'cancelled':
    case 'skipped':
      throw new CarrelError('run_closed', end.reason);
  }
}
