import type { AgentToolCall } from '../../agents/tools/agent-tool-call.js';
import type { ToolDefinition, ToolRef } from '../../agents/tools/tool-definition.js';
import type { ToolResult } from '../../agents/tools/tool-result.js';
import type { InputIssue } from '../../agents/input-reader.js';
import type { ExecutionScope } from '../../context/execution-scope.js';
import type { UserExecutionContext } from '../../context/user-execution-context.js';
import type { JsonObject } from '../../shared/json.js';

/**
 * Token of a `ToolSource`. Any module may have a provider of it, `{ provide: TOOL_SOURCES, useExisting: … }`: all of them are
 * found at boot.
 */
export const TOOL_SOURCES = Symbol('TOOL_SOURCES');

/** Where tools come from. Whatever it keeps, it keeps by user. */
export interface ToolSource {
  /** The servers that this source speaks for, whether they answer or not. The same for every user, from boot on. */
  servers(): readonly string[];

  /**
   * What one of its servers offers this user now.
   *
   * @throws CarrelError `mcp_unavailable` when it can't be reached; other servers are not affected
   */
  list(context: UserExecutionContext, server: string, signal: AbortSignal): Promise<ToolListing>;

  /**
   * What is wrong with arguments; a source without this method has them checked by the tool's input schema, and its
   * structured results by the output schema.
   */
  check?(ref: ToolRef, args: JsonObject): Promise<readonly InputIssue[]>;

  /**
   * Calls a tool that `list` has shown this user, with arguments that fit its schema and that the policy lets pass.
   *
   * @throws CarrelError `tool_failed` when the tool says that it failed; `mcp_unavailable`; `mcp_tool_changed`;
   *   `tool_result_too_large`; `invalid_tool_result`; the signal's reason when it is stopped
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
export interface ToolInvocation extends AgentToolCall {
  /** The DI sub-tree of the attempt that calls. */
  readonly scope: ExecutionScope;
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
