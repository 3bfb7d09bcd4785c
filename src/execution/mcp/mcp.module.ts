import { Module } from '@nestjs/common';
import { ToolsModule } from '../tools/tools.module.js';
import { TOOL_SOURCES } from '../tools/tool-source.port.js';
import { AcceptedTools } from './accepted/accepted-tools.service.js';
import { ToolReview } from './accepted/tool-review.service.js';
import { McpOpener } from './mcp-opener.service.js';
import { McpPool } from './mcp-pool.service.js';
import { McpServers } from './mcp-servers.service.js';
import { McpToolSource } from './mcp-tool-source.js';
import { McpTransports } from './mcp-transports.js';
import { McpSessionFactory } from './session/mcp-session.factory.js';

/** MCP servers, for each user their own connections. */
@Module({
  imports: [ToolsModule],
  providers: [
    AcceptedTools,
    McpOpener,
    McpPool,
    McpServers,
    McpSessionFactory,
    McpToolSource,
    McpTransports,
    ToolReview,
    { provide: TOOL_SOURCES, useExisting: McpToolSource },
  ],
  exports: [McpPool, McpServers, ToolReview],
})
export class McpModule {}
