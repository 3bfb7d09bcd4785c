import type { AgentInput } from '../../agents/agent-provider.js';
import type { PipelineBuilder } from './pipeline-builder.js';
import type { PipelineOutput } from './pipeline-types.js';

/**
 * What a class decorated with `@Pipeline` has to be. `define` is called once, at boot, on an instance that is made
 * without arguments. The functions that it gives to its steps must be pure: they are called again whenever a run goes on
 * after an interruption, and what they give has to follow from what they are given alone. That is why it is frozen.
 */
export interface PipelineProvider<Input, Output = unknown> {
  define(pipeline: PipelineBuilder<Input>): PipelineOutput<Output>;
}

/** How a pipeline is declared. */
export interface PipelineOptions {
  /** What users start it by: letters, digits, `-` and `_`, at most 64 characters. Unique among pipelines and agents. */
  name: string;
  /** One or two sentences for the people who choose a pipeline. */
  description: string;
  /** What it accepts; its steps see what the schema makes of it. */
  input: AgentInput;
  /** Steps that may be at work at once. @default 8 */
  concurrency?: number;
  /** The time limit of the whole run. @default CARREL_RUN_TIMEOUT_MS (300000) */
  deadlineMs?: number;
}
