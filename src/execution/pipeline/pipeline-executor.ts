import { CarrelError } from '../../shared/errors.js';
import type { StepScope } from '../step-scope.js';
import type { PipelinePlan } from './pipeline-plan.js';
import { type PipelineResult, reportSteps, wentOnWithout } from './pipeline-result.js';
import { carryOutPlan } from './step-work.js';
import { PipelineFailure } from './pipeline-failure.js';
import { StepLedger } from './step-ledger.js';

export interface PipelineExecution {
  readonly result: PipelineResult;
  /** Whether a step failed and the pipeline went on without it (`continueOnError`). */
  readonly degraded: boolean;
}

/**
 * Carries out a plan in a run's scope. Whatever was begun has settled when this ends, whichever way. What is decided on
 * the way follows from the input and from what the scope has recorded, so that it is decided the same when the run goes
 * on after an interruption.
 *
 * @throws CarrelError `pipeline_failed` that names the step, with `details.steps`; `invalid_input`; what the scope rejects
 * with when the run is stopped or suspended
 */
export async function executePipeline(
  plan: PipelinePlan,
  input: unknown,
  scope: StepScope,
): Promise<PipelineExecution> {
  const ledger = new StepLedger();
  try {
    const output = await carryOutPlan(plan, input, { scope, ledger, places: [] });
    const steps = reportSteps(plan.steps, ledger);
    return { result: { output, steps }, degraded: wentOnWithout(plan.steps, ledger) };
  } catch (error) {
    if (!(error instanceof PipelineFailure)) throw error;
    throw new CarrelError('pipeline_failed', error.message, {
      cause: error.cause,
      details: { steps: reportSteps(plan.steps, ledger) },
    });
  }
}
