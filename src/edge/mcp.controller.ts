import { Controller, Get, Param, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { UserExecutionContext } from '../context/user-execution-context.js';
import { McpServers } from '../execution/mcp/mcp-servers.service.js';
import { clientGone } from './client-gone.js';
import { CurrentContext } from './current-context.decorator.js';
import type { ListView } from './list-view.js';
import { toMcpServerView, toMcpToolsView, type McpServerView, type McpToolsView } from './mcp-view.js';
import { ApiParam, ApiTags, Documented } from './openapi/api-decorators.js';

/** The caller's MCP servers: everybody has connections of their own. */
@ApiTags('Tools')
@Controller('v1/mcp/servers')
export class McpController {
  constructor(private readonly servers: McpServers) {}

  @Documented({
    summary: 'Your MCP servers',
    description:
      'The servers that the operator has configured and you may use, as they are for you. One that is `idle` is connected to when it is ' +
      'needed. Where it is, and what it is given, is nobody’s business but the operator’s.',
    answers: { 200: { description: 'All of them, in the order of the configuration.', schema: 'McpServerList' } },
  })
  @Get()
  list(@CurrentContext() context: UserExecutionContext): ListView<McpServerView> {
    return { items: this.servers.states(context).map((state) => toMcpServerView(state.name, state)) };
  }

  @Documented({
    summary: 'What one of your MCP servers offers',
    description:
      'Connects to it when it is not. This is what the server says of the tools that you may use; whether you are asked ' +
      'before a call is in `GET /v1/tools`. `heldBack` names tools that can not be called, and why.',
    answers: { 200: { description: 'Its tools, in its own order.', schema: 'McpToolList' } },
    problems: ['not_found', 'mcp_unavailable', 'tool_result_too_large', 'draining'],
  })
  @ApiParam({ name: 'name', schema: { type: 'string' }, example: 'files' })
  @Get(':name/tools')
  async toolsOf(
    @CurrentContext() context: UserExecutionContext,
    @Param('name') name: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<McpToolsView> {
    return toMcpToolsView(await this.servers.toolsOf(context, name, clientGone(reply)));
  }
}
