import type { Ask } from '../../agents/agent-run.js';
import type { UserExecutionContext } from '../../context/user-execution-context.js';
import type { ApprovalAnswer } from '../../events/approval-record.js';
import type { CallId } from '../../shared/ids.js';
import type { JsonObject } from '../../shared/json.js';
import type { ToolDefinition, ToolRef } from './tool-definition.js';
import type { ToolResult } from './tool-result.js';

/** Multi-injection token: an array of `ToolSource`s, the application's own first. */
export const TOOL_SOURCES = Symbol('TOOL_SOURCES');

/** Where tools come from. Whatever it keeps, it keeps by user. */
export interface ToolSource {
  /** The servers that this source speaks for, whether they answer or not. The same for every user. */
  servers(): readonly string[];

  /**
   * What one of its servers offers this user now.
   *
   * @throws CarrelError `mcp_unavailable` when it can't be reached; other servers are not affected
   */
  list(context: UserExecutionContext, server: string, signal: AbortSignal): Promise<ToolListing>;

  /**
   * Calls a tool that `list` has shown this user, with arguments that fit its schema and that the policy lets pass.
   *
   * @throws CarrelError `tool_failed` when the tool says that it failed; `mcp_unavailable`; `mcp_tool_changed`;
   *   `tool_timed_out`; `tool_result_too_large`; `invalid_tool_result`; the signal's reason when it is stopped
   */
  call(context: UserExecutionContext, ref: ToolRef, args: JsonObject, call: ToolInvocation): Promise<ToolResult>;
}

export interface ToolListing {
  readonly tools: readonly ToolDefinition[];
  /** Tools that are there and can't be called: changed since the operator accepted them, or with a schema that is none. */
  readonly heldBack: readonly HeldBackTool[];
}

export interface HeldBackTool extends ToolRef {
  readonly code: 'mcp_tool_changed' | 'invalid_tool';
  /** For people: what is wrong and what to do. */
  readonly reason: string;
}

/** One call under way, as its source sees it. */
export interface ToolInvocation {
  readonly callId: CallId;
  /** Number of the try, from 1. */
  readonly attempt: number;
  /** The same whenever this call is carried out, however often. */
  readonly idempotencyKey: string;
  /** Aborted when the run is stopped or suspended, or the call's time is over. */
  readonly signal: AbortSignal;
  /** Name of the agent that calls. */
  readonly agent: string;
  /** Emits `tool_progress`, and counts as a sign of life. `progress` goes from 0 to 1. */
  progress(progress: number, message?: string): Promise<void>;
  /**
   * Asks the run's owner in the middle of the call. The run is suspended for it, and this call with it (`signal`); after
   * the answer the tool is called again, and asks again: then the answer is here at once. So a tool must ask before it
   * does anything.
   */
  ask(question: Ask): Promise<ApprovalAnswer>;
  /** Has a model answer, on the user's budget, as a step inside this call. Undefined: there is no model. */
  readonly sample?: (request: SampleRequest) => Promise<SampleReply>;
}

/** What a tool may ask a model for (MCP sampling). Texts only. */
export interface SampleRequest {
  readonly system?: string;
  readonly messages: readonly { readonly role: 'user' | 'assistant'; readonly text: string }[];
  readonly maxTokens: number;
  readonly temperature?: number;
  readonly stopSequences?: readonly string[];
}

export interface SampleReply {
  readonly model: string;
  readonly text: string;
  /** As MCP names it: `endTurn`, `maxTokens`, `stopSequence`. */
  readonly stopReason: string;
}
