import { Client } from '@modelcontextprotocol/client';
import { Inject, Injectable } from '@nestjs/common';
import { CARREL_CONFIG, type CarrelConfig } from '../../config/config.js';
import type { McpServerConfig } from '../../config/mcp-config.js';
import type { UserExecutionContext } from '../../context/user-execution-context.js';

const CLIENT_INFO = { name: 'carrel', version: '1' };

/** Makes the protocol's half of a connection: what Carrel says of itself, and what it answers when a server asks. */
@Injectable()
export class McpClientFactory {
  constructor(@Inject(CARREL_CONFIG) private readonly config: CarrelConfig) {}

  /** A client for one connection of this user's to one server; it is connected once, by the pool. */
  create(_context: UserExecutionContext, _server: McpServerConfig): Client {
    // a process that does not know the question must have time to be asked in the old way
    const probe = { timeoutMs: Math.ceil(this.config.mcp.connectTimeoutMs / 3) };
    return new Client(CLIENT_INFO, { capabilities: {}, versionNegotiation: { mode: 'auto', probe } });
  }
}
