import { Module } from '@nestjs/common';
import { McpClientFactory } from './mcp-client.factory.js';
import { McpOpener } from './mcp-opener.service.js';
import { McpPool } from './mcp-pool.service.js';
import { McpToolSource } from './mcp-tool-source.js';
import { McpTransports } from './mcp-transports.js';

/** MCP servers, for each user their own connections. */
@Module({
  providers: [McpClientFactory, McpOpener, McpPool, McpToolSource, McpTransports],
  exports: [McpPool, McpToolSource],
})
export class McpModule {}
