import type { StepEffect } from '../../events/step-record.js';
import type { JsonObject } from '../../shared/json.js';

/** Which tool: `server` is the name of an MCP server, or `OWN_TOOLS`. */
export interface ToolRef {
  readonly server: string;
  readonly tool: string;
}

/** The "server" of the application's own tools, those that `@AgentTool` declares. No MCP server can be called so. */
export const OWN_TOOLS = 'app';

/** A tool as its source describes it. Plain data: what an MCP server says of itself decides nothing, it is only shown and ranked. */
export interface ToolDefinition extends ToolRef {
  readonly title?: string;
  readonly description: string;
  /** JSON Schema of the arguments: an object's. */
  readonly inputSchema: JsonObject;
  /** JSON Schema of the structured result. */
  readonly outputSchema?: JsonObject;
  /** What is done with a call that was under way when the process died. */
  readonly effect: StepEffect;
  /** It may delete or overwrite. True unless its source says otherwise, or that it only reads. */
  readonly destructive: boolean;
  /** It deals with the world outside, which the source says. */
  readonly openWorld: boolean;
  /** Its source wants a person asked, whatever the rest says. */
  readonly needsApproval?: boolean;
  /** The time limit of one call. @default CARREL_TOOL_TIMEOUT_MS */
  readonly timeoutMs?: number;
}

/** A tool that a user may call, with what the operator's policy says of it. */
export interface UsableTool extends ToolDefinition {
  /** The user is asked before each call. */
  readonly needsApproval: boolean;
}
