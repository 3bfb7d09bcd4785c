import { Controller, Get, Query } from '@nestjs/common';
import { AgentRegistry } from '../agents/agent-registry.service.js';
import type { UserExecutionContext } from '../context/user-execution-context.js';
import { ToolCatalogue, type UsableTools } from '../execution/tools/tool-catalogue.service.js';
import { CHECKED } from './checked.pipe.js';
import { IfGiven, IsString, Length } from './checks.js';
import { CurrentContext } from './current-context.decorator.js';
import { ApiPropertyOptional, ApiTags, Documented } from './openapi/api-decorators.js';

const AGENT = { message: 'agent must be the name of an agent' };

class ToolsQuery {
  @ApiPropertyOptional({
    description: 'Those that may be used from this agent; without it, from any.',
    example: 'summarise',
  })
  @IfGiven()
  @IsString(AGENT)
  @Length(1, 64, AGENT)
  agent?: string;
}

type ToolsView = Omit<UsableTools, 'tools'> & { readonly items: UsableTools['tools'] };

/** The tools that the caller's runs may use now. */
@ApiTags('Tools')
@Controller('v1/tools')
export class ToolsController {
  constructor(
    private readonly catalogue: ToolCatalogue,
    private readonly agents: AgentRegistry,
  ) {}

  @Documented({
    summary: 'The tools that your runs may use',
    description:
      "The application's own and those of the MCP servers, as the operator's policy allows for you. A server that can not be reached only leaves out its own tools: `unreachable` says why.",
    answers: { 200: { description: 'All of them now.', schema: 'ToolList' } },
    problems: ['invalid_request', 'unknown_agent'],
  })
  @Get()
  async list(
    @CurrentContext() context: UserExecutionContext,
    @Query(CHECKED) { agent }: ToolsQuery,
  ): Promise<ToolsView> {
    if (agent !== undefined) this.agents.get(agent);
    return toView(await this.catalogue.list(context, agent));
  }
}

function toView({ tools, heldBack, unreachable }: UsableTools): ToolsView {
  return {
    items: tools.map((one) => {
      const { server, tool, title, description, inputSchema, outputSchema, effect, destructive, openWorld } = one;
      const { needsApproval, timeoutMs } = one;
      const facts = { server, tool, title, description, inputSchema, outputSchema, effect, needsApproval, destructive };
      return { ...facts, openWorld, timeoutMs };
    }),
    heldBack: heldBack.map(({ server, tool, code, reason }) => ({ server, tool, code, reason })),
    unreachable,
  };
}
