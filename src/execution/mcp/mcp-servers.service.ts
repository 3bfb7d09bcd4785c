import { Inject, Injectable } from '@nestjs/common';
import { CARREL_CONFIG, type CarrelConfig } from '../../config/config.js';
import type { UserExecutionContext } from '../../context/user-execution-context.js';
import { CarrelError } from '../../shared/errors.js';
import { ToolCatalogue } from '../tools/tool-catalogue.service.js';
import { mayUse, mayUseServer, type ToolUser } from '../tools/tool-policy.js';
import type { ToolListing } from '../tools/tool-source.port.js';
import { McpPool } from './mcp-pool.service.js';
import type { McpServerState } from './mcp-server-state.js';
import { McpToolSource } from './mcp-tool-source.js';

/** What a user may see of the MCP servers, from whatever agent: what the policy denies is not there, and is not connected to. */
@Injectable()
export class McpServers {
  constructor(
    private readonly pool: McpPool,
    private readonly source: McpToolSource,
    private readonly catalogue: ToolCatalogue,
    @Inject(CARREL_CONFIG) private readonly config: CarrelConfig,
  ) {}

  /** How they are for this user, in the order of the file. */
  states(context: UserExecutionContext): McpServerState[] {
    return this.pool.states(context).filter(({ name }) => mayUseServer(this.policy, name, userOf(context)));
  }

  /** @throws CarrelError `not_found`; as `McpPool.use` does */
  async toolsOf(context: UserExecutionContext, server: string, signal: AbortSignal): Promise<ToolListing> {
    const user = userOf(context);
    if (!this.source.servers().includes(server) || !mayUseServer(this.policy, server, user))
      throw new CarrelError('not_found', `there is no MCP server "${server.slice(0, 64)}"`);
    const { tools, heldBack } = await this.catalogue.offered(context, server, signal);
    return {
      tools: tools.filter((tool) => mayUse(this.policy, tool, user)),
      heldBack: heldBack.filter((tool) => mayUse(this.policy, tool, user)),
    };
  }

  private get policy() {
    return this.config.mcp.policy;
  }
}

function userOf({ roles }: UserExecutionContext): ToolUser {
  return { roles, agent: undefined };
}
