import { Inject, Injectable, Optional } from '@nestjs/common';
import { CARREL_CONFIG, type CarrelConfig } from '../../../config/config.js';
import type { McpServerConfig } from '../../../config/mcp-config.js';
import type { UserExecutionContext } from '../../../context/user-execution-context.js';
import { CLOCK, type Clock } from '../../../shared/clock.js';
import { TOOL_SAMPLER, type ToolSampler } from '../../tools/tool-sampler.port.js';
import { blackOutFor } from '../black-out.js';
import { userFolder } from '../user-folder.js';
import type { McpSession } from './mcp-session.js';

/** Makes the protocol's half of a connection: what Carrel says of itself, and what it answers when a server asks. */
@Injectable()
export class McpSessionFactory {
  constructor(
    @Inject(CARREL_CONFIG) private readonly config: CarrelConfig,
    @Inject(CLOCK) private readonly clock: Clock,
    /** Not there when nobody runs anything, and without a default model. */
    @Optional() @Inject(TOOL_SAMPLER) private readonly sampler?: ToolSampler,
  ) {}

  /** For one connection of this user's to one server, which the pool opens. */
  async create(context: UserExecutionContext, server: McpServerConfig): Promise<McpSession> {
    const { userId } = context;
    const { name, kind } = server;
    const { mcp } = this.config;
    const facts = {
      userId,
      server: name,
      // a server elsewhere can do nothing with a folder of this machine, and need not know where it is
      folder: kind === 'stdio' ? userFolder(mcp.workDir, userId, name) : undefined,
      canSample: this.sampler !== undefined,
      connectTimeoutMs: mcp.connectTimeoutMs,
      blackOut: blackOutFor(context, server),
    };
    // the MCP SDK is for those who have servers
    const { McpSession } = await import('./mcp-session.js');
    return new McpSession(facts, this.clock);
  }
}
