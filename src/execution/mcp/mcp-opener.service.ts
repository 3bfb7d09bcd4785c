import { Inject, Injectable, Logger } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { CARREL_CONFIG, type CarrelConfig } from '../../config/config.js';
import type { McpServerConfig } from '../../config/mcp-config.js';
import type { UserExecutionContext } from '../../context/user-execution-context.js';
import { CLOCK, type Clock } from '../../shared/clock.js';
import { McpConnection } from './mcp-connection.js';
import { McpTransports } from './mcp-transports.js';
import { McpSessionFactory } from './session/mcp-session.factory.js';

const MAX_REMEMBERED = 10_000;
/** A server that has been replaced by a newer one is noticed after so long. */
const REMEMBERED_MS = 60 * 60 * 1_000;

/** Opens connections, in whichever of the protocol's two eras the server speaks. */
@Injectable()
export class McpOpener {
  private readonly logger = new Logger(McpOpener.name);
  /** By user and server: those that only speak the older era. */
  private readonly legacy: LRUCache<string, true>;

  constructor(
    private readonly transports: McpTransports,
    private readonly sessions: McpSessionFactory,
    @Inject(CARREL_CONFIG) private readonly config: CarrelConfig,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    this.legacy = new LRUCache({ max: MAX_REMEMBERED, ttl: REMEMBERED_MS, ttlResolution: 0, perf: clock });
  }

  /** @throws CarrelError that says why, as the end of a sentence about the server; nothing is left of the connection then */
  async open(context: UserExecutionContext, server: McpServerConfig, signal: AbortSignal): Promise<McpConnection> {
    const key = `${context.userId}\n${server.name}`;
    const isLegacy = this.legacy.has(key);
    try {
      const connection = await this.openAs(context, server, signal, isLegacy);
      if (connection.client.getProtocolEra() === 'legacy') this.legacy.set(key, true);
      return connection;
    } catch (err) {
      this.legacy.delete(key);
      const { connectFailure } = await import('./connect-failure.js');
      const reason = connectFailure(err);
      const ids = { userId: context.userId, mcpServer: server.name };
      // a value that this user lacks is nothing for the operator to be woken for
      if (reason.retryable) this.logger.warn({ err: reason, ...ids }, 'an MCP server could not be connected to');
      else this.logger.log({ ...ids, why: reason.message }, 'an MCP server can not be used by this user');
      throw reason;
    }
  }

  private async openAs(
    context: UserExecutionContext,
    server: McpServerConfig,
    signal: AbortSignal,
    isLegacy: boolean,
  ): Promise<McpConnection> {
    let hasEnded = false;
    const open = async (asLegacy: boolean) =>
      McpConnection.open({
        session: await this.sessions.create(context, server),
        createTransport: (onLost) =>
          this.transports.create(context, server, (reason) => {
            hasEnded = true;
            onLost(reason);
          }),
        timeoutMs: this.config.mcp.connectTimeoutMs,
        clock: this.clock,
        signal,
        isLegacy: asLegacy,
      });
    try {
      return await open(isLegacy);
    } catch (error) {
      // some older servers end when they are asked anything before `initialize`
      if (server.kind !== 'stdio' || isLegacy || !hasEnded) throw error;
      return await open(true);
    }
  }
}
