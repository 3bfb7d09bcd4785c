import type { Transport } from '@modelcontextprotocol/client';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { CARREL_CONFIG, type CarrelConfig } from '../../config/config.js';
import type { McpServerConfig } from '../../config/mcp-config.js';
import type { UserExecutionContext } from '../../context/user-execution-context.js';
import { CLOCK, type Clock } from '../../shared/clock.js';
import type { CarrelError } from '../../shared/errors.js';
import { blackOutFor } from './black-out.js';
import { makeFolder, userFolder } from './user-folder.js';
import { UserValues } from './user-values.js';

/** A message may be so many times as long as a tool's answer: it is escaped, and has more in it. */
const MESSAGE_FACTOR = 8;
/** Lists of tools are long too. */
const MIN_MESSAGE_BYTES = 1024 * 1024;

/** The way to one server for one user; nothing of it is shared with anybody. */
export interface UserTransport {
  readonly transport: Transport;
  /** Ends it and resolves when nothing is left: no process, no session. */
  end(): Promise<void>;
}

/** Opens the ways to servers: a process of the user's own, or HTTP with the user's own headers. */
@Injectable()
export class McpTransports {
  private readonly logger = new Logger('McpServer');

  constructor(
    @Inject(CARREL_CONFIG) private readonly config: CarrelConfig,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /**
   * @param onLost is told once when it ends by itself
   * @throws CarrelError `mcp_unavailable`, not retryable, when this user lacks a value that the server needs
   */
  async create(
    context: UserExecutionContext,
    server: McpServerConfig,
    onLost: (reason: CarrelError) => void,
  ): Promise<UserTransport> {
    return server.kind === 'http'
      ? await this.http(context, server, onLost)
      : await this.process(context, server, onLost);
  }

  private async http(
    context: UserExecutionContext,
    { name, url, headers }: McpServerConfig & { kind: 'http' },
    onLost: (reason: CarrelError) => void,
  ): Promise<UserTransport> {
    const values = new UserValues(context, userFolder(this.config.mcp.workDir, context.userId, name));
    const ownHeaders = Object.entries(headers).map(([key, text]) => [key, values.header(text)]);
    const { HttpTransport } = await import('./http-transport.js');
    const transport = new HttpTransport({
      url: values.url(url),
      headers: Object.fromEntries(ownHeaders),
      clock: this.clock,
      maxMessageBytes: this.maxMessageBytes,
      onLost,
    });
    return { transport, end: () => transport.close() };
  }

  private async process(
    context: UserExecutionContext,
    server: McpServerConfig & { kind: 'stdio' },
    onLost: (reason: CarrelError) => void,
  ): Promise<UserTransport> {
    const { name, command, args, env } = server;
    const { workDir, environment } = this.config.mcp;
    const { userId } = context;
    const folder = userFolder(workDir, userId, name);
    const values = new UserValues(context, folder);
    const ownEnv = Object.entries(env).map(([key, text]) => [key, values.path(text)]);
    const launch = {
      command,
      args: args.map((text) => values.argument(text)),
      cwd: folder,
      env: { ...environment, HOME: folder, ...Object.fromEntries(ownEnv) },
    };
    const blackOut = blackOutFor(context, server);
    await makeFolder(folder);
    const { StdioTransport } = await import('./stdio-transport.js');
    const transport = new StdioTransport({
      launch,
      clock: this.clock,
      maxMessageBytes: this.maxMessageBytes,
      onLog: (line) => this.logger.debug({ userId, mcpServer: name, line: blackOut(line) }, 'an MCP server says'),
      onLost,
    });
    return { transport, end: () => transport.close() };
  }

  private get maxMessageBytes(): number {
    return Math.max(MIN_MESSAGE_BYTES, MESSAGE_FACTOR * this.config.tools.resultBytes);
  }
}
