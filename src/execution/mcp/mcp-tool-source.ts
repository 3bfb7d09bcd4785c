import type { Tool } from '@modelcontextprotocol/client';
import { Inject, Injectable } from '@nestjs/common';
import { CARREL_CONFIG, type CarrelConfig } from '../../config/config.js';
import type { UserExecutionContext } from '../../context/user-execution-context.js';
import type { JsonObject } from '../../shared/json.js';
import type { ToolDefinition } from '../../agents/tools/tool-definition.js';
import type { ToolListing } from '../tools/tool-source.port.js';
import { McpPool } from './mcp-pool.service.js';

/** The tools of a user's MCP servers. */
@Injectable()
export class McpToolSource {
  constructor(
    private readonly pool: McpPool,
    @Inject(CARREL_CONFIG) private readonly config: CarrelConfig,
  ) {}

  /** @throws CarrelError what `McpPool.use` throws */
  async list(context: UserExecutionContext, server: string, signal: AbortSignal): Promise<ToolListing> {
    const { timeoutMs } = this.config.tools;
    const listed = await this.pool.use(context, server, signal, ({ client }) =>
      client.listTools(undefined, { signal, timeout: timeoutMs }),
    );
    return { tools: listed.tools.map((tool) => definitionOf(server, tool)), heldBack: [] };
  }
}

function definitionOf(server: string, tool: Tool): ToolDefinition {
  const { name, title, description = '', inputSchema, outputSchema, annotations = {} } = tool;
  const isReadOnly = annotations.readOnlyHint === true;
  return {
    server,
    tool: name,
    title,
    description,
    inputSchema: inputSchema as JsonObject,
    outputSchema: outputSchema as JsonObject | undefined,
    effect: isReadOnly ? 'read' : annotations.idempotentHint === true ? 'idempotent' : 'once',
    destructive: !isReadOnly && annotations.destructiveHint !== false,
    openWorld: annotations.openWorldHint === true,
  };
}
