import { Inject, Injectable } from '@nestjs/common';
import type { ToolRef } from '../../agents/tools/tool-definition.js';
import type { ToolResult } from '../../agents/tools/tool-result.js';
import { CARREL_CONFIG, type CarrelConfig } from '../../config/config.js';
import type { UserExecutionContext } from '../../context/user-execution-context.js';
import { CarrelError, isCarrelError } from '../../shared/errors.js';
import type { JsonObject } from '../../shared/json.js';
import type { ToolInvocation, ToolListing, ToolSource } from '../tools/tool-source.port.js';
import { AcceptedTools, type CheckedTools } from './accepted/accepted-tools.service.js';
import { McpPool } from './mcp-pool.service.js';
import type { ListedTool } from './session/listed-tool.js';
import type { McpSession } from './session/mcp-session.js';

/** The tools of the operator's MCP servers, for each user over connections of their own. */
@Injectable()
export class McpToolSource implements ToolSource {
  constructor(
    private readonly pool: McpPool,
    private readonly accepted: AcceptedTools,
    @Inject(CARREL_CONFIG) private readonly config: CarrelConfig,
  ) {}

  servers(): readonly string[] {
    return this.config.mcp.servers.map(({ name }) => name);
  }

  async list(context: UserExecutionContext, server: string, signal: AbortSignal): Promise<ToolListing> {
    return await this.use(context, server, signal, async (session) => {
      const { invalid, accepted, heldBack } = await this.look(context, server, session);
      return { tools: accepted.map(({ definition }) => definition), heldBack: [...invalid, ...heldBack] };
    });
  }

  async call(
    context: UserExecutionContext,
    ref: ToolRef,
    args: JsonObject,
    invocation: ToolInvocation,
  ): Promise<ToolResult> {
    const { signal } = invocation;
    return await this.use(context, ref.server, signal, async (session, sent) => {
      const tool = acceptedTool(ref, await this.look(context, ref.server, session));
      signal.throwIfAborted();
      return await session.call(tool, args, invocation, () => sent(tool));
    });
  }

  /**
   * Once more, if the connection was closed for the sake of another call that would not stop, and nothing is done twice.
   *
   * @param work says what it sends, if it does
   */
  private async use<T>(
    context: UserExecutionContext,
    server: string,
    signal: AbortSignal,
    work: (session: McpSession, sent: (tool: ListedTool) => void) => Promise<T>,
  ): Promise<T> {
    for (let again = true; ; again = false) {
      let session: McpSession | undefined;
      let tool: ListedTool | undefined;
      try {
        return await this.pool.use(context, server, signal, (connection) => {
          session = connection.session;
          return work(session, (sent) => (tool = sent));
        });
      } catch (error) {
        signal.throwIfAborted();
        const isOnce = tool?.definition.effect === 'once';
        const isLost = isCarrelError(error) && error.code === 'mcp_unavailable';
        if (again && isLost && session?.isGivenUp && !isOnce) continue;
        throw tool === undefined ? notListed(server, error) : isOnce ? unknownWhetherDone(error) : error;
      }
    }
  }

  private async look(
    context: UserExecutionContext,
    server: string,
    session: McpSession,
  ): Promise<CheckedTools & { invalid: ToolListing['heldBack'] }> {
    try {
      const { tools, invalid } = await session.listTools();
      return { invalid, ...this.accepted.check(context, server, tools) };
    } catch (error) {
      const { callFailure } = await import('./session/call-failure.js');
      throw callFailure(error, { server, tool: 'tools/list' });
    }
  }
}

function acceptedTool({ server, tool }: ToolRef, { accepted, heldBack }: CheckedTools): ListedTool {
  const found = accepted.find(({ definition }) => definition.tool === tool);
  if (found) return found;
  const held = heldBack.find((one) => one.tool === tool);
  if (held) throw new CarrelError('mcp_tool_changed', `"${tool}" of "${server}" is held back: ${held.reason}`);
  throw new CarrelError('unknown_tool', `"${server}" has no tool "${tool}" any more`);
}

/** A list is no result. */
function notListed(server: string, error: unknown): unknown {
  if (!isCarrelError(error) || error.code !== 'tool_result_too_large') return error;
  return new CarrelError('mcp_unavailable', error.message, { details: { server }, retryable: false, cause: error });
}

/** What is done once must not be tried again when nobody knows whether it has been done. */
function unknownWhetherDone(error: unknown): unknown {
  if (!isCarrelError(error) || !['mcp_unavailable', 'tool_result_too_large'].includes(error.code)) return error;
  const { code, message, details, retryAfterMs } = error;
  const text = `${message}; nobody can tell whether the call was carried out`;
  return new CarrelError(code, text, { details, retryAfterMs, retryable: false, cause: error });
}
