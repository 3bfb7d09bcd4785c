import type { JsonObject, JsonValue } from '../../shared/json.js';

/**
 * What a tool has answered: bounded (`CARREL_TOOL_RESULT_BYTES`), plain JSON. An error is never a result: it is thrown
 * (`tool_failed`).
 */
export interface ToolResult {
  /** All texts of the answer, one after the other. What a model is given, and an agent that only wants words. */
  readonly text: string;
  /** The structured answer, checked against the tool's output schema when it has one. */
  readonly structured?: JsonValue;
  /** Everything, as MCP content blocks (`{type: 'text' | 'image' | 'audio' | 'resource' | 'resource_link', …}`). */
  readonly content: readonly JsonObject[];
}
