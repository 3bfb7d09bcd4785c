import type { UserExecutionContext } from '../../context/user-execution-context.js';
import type { ModelSteps } from '../model-step.js';
import type { SampleReply, SampleRequest } from './tool-source.port.js';

/** Token of the `ToolSampler`, if some module provides one. */
export const TOOL_SAMPLER = Symbol('TOOL_SAMPLER');

/** Has a model answer what a tool asks for in the middle of its call, on the user's budget. */
export interface ToolSampler {
  /**
   * @param steps where the model's step is carried out: inside the tool's step
   * @throws CarrelError `budget_exceeded` | `model_failed` | …: the tool is told that there is no answer
   */
  sample(context: UserExecutionContext, request: SampleRequest, steps: ModelSteps): Promise<SampleReply>;
}
