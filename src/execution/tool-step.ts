import type { Ask } from '../agents/agent-run.js';
import type { ToolRef, UsableTool } from '../agents/tools/tool-definition.js';
import type { ToolResult } from '../agents/tools/tool-result.js';
import type { ExecutionScope } from '../context/execution-scope.js';
import type { UserExecutionContext } from '../context/user-execution-context.js';
import type { ApprovalAnswer } from '../events/approval-record.js';
import type { RunEventData } from '../events/run-event.js';
import type { StepEffect } from '../events/step-record.js';
import type { CarrelError } from '../shared/errors.js';
import type { JsonValue } from '../shared/json.js';
import type { ModelCall, ModelStepOptions } from './model-step.js';
import type { StepEnd } from './step-scope.js';
import type { StepTelling } from './step-telling.js';

/** A call of a tool, as the engine sees it. */
export interface ToolStep {
  /** Of the step: what may stand in a path. */
  readonly name: string;
  /**
   * Finds out what is to be called, and whether it may be. Not asked when the step's end is recorded.
   *
   * @throws CarrelError why nothing is called: that is the step's failure then, which nobody is told of as a call
   */
  prepare(path: string): Promise<PreparedTool>;
}

export interface PreparedTool {
  readonly effect: StepEffect;
  readonly timeoutMs: number;
  readonly telling: StepTelling;
  /** What the run's owner is asked before the call, inside the step. */
  readonly approval?: Ask;
  /** What the call is failed with when it is not approved. */
  declined(decision: ApprovalAnswer['decision']): CarrelError;
  timedOut(limitMs: number): CarrelError;
  /** @returns plain data within bounds, and nobody else's */
  work(call: ToolStepCall): Promise<JsonValue>;
}

/** What carries a tool call out. */
export interface ToolStepCall {
  readonly attempt: number;
  readonly idempotencyKey: string;
  readonly signal: AbortSignal;
  /** @throws CarrelError `run_closed`, or the signal's reason, when the call is over */
  progress(data: RunEventData['tool_progress']): Promise<void>;
  /**
   * Where the call itself asks, and has models answer; made when it is needed.
   *
   * @throws like `progress`
   */
  inside(): StepsInTool;
}

/** Steps inside of a tool's. */
export interface StepsInTool {
  readonly context: UserExecutionContext;
  ask(question: Ask): Promise<ApprovalAnswer>;
  model(name: string, work: (call: ModelCall) => unknown, options?: ModelStepOptions): Promise<StepEnd>;
}

/** Who calls a tool, and from where. */
export interface ToolCaller {
  readonly steps: { readonly context: UserExecutionContext; tool(step: ToolStep): Promise<StepEnd> };
  /** The DI sub-tree of the attempt that calls. */
  readonly scope: ExecutionScope;
  /** Name of the agent. */
  readonly agent: string;
}

/** What an engine has its runs' tools called by. */
export interface ToolDoor {
  list(caller: ToolCaller): Promise<readonly UsableTool[]>;

  /** See `UserTools.call`. */
  call(caller: ToolCaller, ref: ToolRef, args: unknown): Promise<ToolResult>;
}
