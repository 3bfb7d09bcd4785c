import type { JsonObject } from '../../shared/json.js';
import type { UsableTool } from './tool-definition.js';
import type { ToolResult } from './tool-result.js';

/**
 * The tools that this run's user may use, from here (`AgentRun.tools`): the application's own and those of the user's MCP
 * servers, as the operator's policy allows for user, roles and agent.
 */
export interface UserTools {
  /** All of them now. A server that does not answer has none; `GET /v1/mcp/servers` says why. */
  list(): Promise<readonly UsableTool[]>;

  /**
   * Calls a tool, as a durable step: between `tool_executing` and `tool_completed`, recorded when it ends, not done again when
   * the agent runs again. One that needs approval asks the run's owner first, which suspends the run.
   *
   * @throws CarrelError `unknown_tool` | `tool_denied` | `invalid_arguments`: nothing was sent; `tool_declined`: the owner said
   *   no; `tool_failed`: the tool says that it failed; `tool_timed_out`; `tool_result_too_large`; `invalid_tool_result`;
   *   `mcp_unavailable`; `mcp_tool_changed`
   */
  call(server: string, tool: string, args?: JsonObject): Promise<ToolResult>;
}
