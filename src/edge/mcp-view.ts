import type { McpServerState } from '../execution/mcp/mcp-server-state.js';
import type { HeldBackTool, ToolListing } from '../execution/tools/tool-source.port.js';
import type { ToolDefinition } from '../agents/tools/tool-definition.js';
import { toWireError, type WireError } from './problem.js';
import { momentOf } from './run-view.js';

export interface McpServerView extends Omit<McpServerState, 'sinceMs' | 'retryAtMs' | 'error'> {
  readonly since?: string;
  readonly retryAt?: string;
  readonly error?: WireError;
}

export function toMcpServerView(server: string, state: McpServerState): McpServerView {
  const { sinceMs, retryAtMs, error, ...rest } = state;
  return {
    ...rest,
    since: momentOf(sinceMs),
    retryAt: momentOf(retryAtMs),
    error: error && { ...toWireError(error), server },
  };
}

export interface McpToolsView {
  readonly items: readonly McpToolView[];
  readonly heldBack: readonly Omit<HeldBackTool, 'server'>[];
}

type McpToolView = Pick<
  ToolDefinition,
  'tool' | 'title' | 'description' | 'inputSchema' | 'outputSchema' | 'effect' | 'destructive' | 'openWorld'
>;

export function toMcpToolsView({ tools, heldBack }: ToolListing): McpToolsView {
  return {
    items: tools.map(({ tool, title, description, inputSchema, outputSchema, effect, destructive, openWorld }) => ({
      tool,
      title,
      description,
      inputSchema,
      outputSchema,
      effect,
      destructive,
      openWorld,
    })),
    heldBack: heldBack.map(({ tool, code, reason }) => ({ tool, code, reason })),
  };
}
