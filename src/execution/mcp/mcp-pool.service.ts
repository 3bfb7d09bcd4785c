import { createHash } from 'node:crypto';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { CARREL_CONFIG, type CarrelConfig } from '../../config/config.js';
import type { McpServerConfig } from '../../config/mcp-config.js';
import type { UserExecutionContext } from '../../context/user-execution-context.js';
import { CLOCK, type Clock } from '../../shared/clock.js';
import { CarrelError, isCarrelError } from '../../shared/errors.js';
import type { McpConnection } from './mcp-connection.js';
import { unavailable } from './mcp-failure.js';
import { McpHealth } from './mcp-health.js';
import { McpOpener } from './mcp-opener.service.js';
import { stateOf, type McpServerState } from './mcp-server-state.js';
import { PlacesLeft } from './places-left.js';
import { PooledServer } from './pooled-server.js';

/**
 * Connections to MCP servers, by user and server: none is ever shared between users. They are opened when they are needed,
 * bounded for each user and in all, and closed when they are not used.
 */
@Injectable()
export class McpPool implements OnApplicationShutdown {
  /** Keys begin with the user. */
  private readonly places = new Map<string, PooledServer>();
  private readonly health: McpHealth;
  private readonly left: PlacesLeft;
  private isStopping = false;

  constructor(
    private readonly opener: McpOpener,
    @Inject(CARREL_CONFIG) private readonly config: CarrelConfig,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    this.health = new McpHealth(clock);
    this.left = new PlacesLeft(this.places, config.mcp);
  }

  /**
   * Has `work` use this user's connection to a server. Pieces of work share it; it stays open while there is one.
   *
   * @param signal ends the wait for the connection; the work heeds it itself
   * @throws CarrelError `mcp_unavailable` (with `retryAfterMs` when it is left alone, or all places are in use) |
   *   `tool_result_too_large` | `draining`; the signal's reason; what `work` throws, unless the connection was lost meanwhile
   */
  async use<T>(
    context: UserExecutionContext,
    server: string,
    signal: AbortSignal,
    work: (connection: McpConnection) => Promise<T>,
  ): Promise<T> {
    const place = await this.take(context, this.serverOf(server), signal);
    try {
      const connection = await unlessAborted(place.opened, signal);
      return await work(connection);
    } catch (error) {
      throw whatHappened(server, place, error, signal);
    } finally {
      // whatever became of the work: the server lives
      if (place.phase === 'ready' && place.isUsable) this.health.succeeded(place.key);
      place.giveBack();
    }
  }

  /** How many connections there are to each server of the configuration, all users together. */
  connectionsByServer(): ReadonlyMap<string, number> {
    const counts = new Map(this.config.mcp.servers.map(({ name }) => [name, 0]));
    for (const key of this.places.keys()) {
      const name = key.split('\n')[1]!;
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    return counts;
  }

  /** How each server of the configuration is for this user, in the order of the file. */
  states(context: UserExecutionContext): McpServerState[] {
    return this.config.mcp.servers.map((server) => {
      const key = keyOf(context, server);
      return stateOf(server, this.places.get(key), this.health.find(key), this.clock.now());
    });
  }

  /** Resolves when no connection, and no process, is left. Runs have ended by then. */
  async onApplicationShutdown(): Promise<void> {
    this.isStopping = true;
    const places = [...this.places.values()];
    for (const place of places) place.end(stopping());
    await Promise.all(places.map(({ gone }) => gone));
  }

  private serverOf(name: string): McpServerConfig {
    const server = this.config.mcp.servers.find((known) => known.name === name);
    if (!server) throw new CarrelError('not_found', `there is no MCP server "${name.slice(0, 64)}"`);
    return server;
  }

  /** A lease of the user's place: the one that is there, or a new one. What is looked at and what is taken is one step. */
  private async take(context: UserExecutionContext, server: McpServerConfig, signal: AbortSignal) {
    const key = keyOf(context, server);
    for (;;) {
      signal.throwIfAborted();
      if (this.isStopping) throw stopping();
      const place = this.places.get(key) ?? this.left.makeRoom(context.userId, server.name);
      if (place === undefined) return this.open(key, context, server);
      if (place.key === key && place.isUsable) {
        place.take();
        return place;
      }
      await unlessAborted(place.gone, signal);
    }
  }

  private open(key: string, context: UserExecutionContext, server: McpServerConfig): PooledServer {
    const waitMs = this.health.waitMs(key);
    if (waitMs > 0) throw leftAlone(server.name, waitMs, this.health.find(key)!.reason);
    const place = new PooledServer(key, context.userId, this.clock, this.config.mcp.idleMs);
    this.places.set(key, place);
    place.take();
    void this.live(place, () => this.opener.open(context, server, place.signal));
    return place;
  }

  /** The life of one place, from its first to its last moment. Never rejects. */
  private async live(place: PooledServer, open: () => Promise<McpConnection>): Promise<void> {
    try {
      const connection = await open();
      place.ready(connection);
      const reason = await connection.ended;
      place.closing();
      if (reason && isIllness(reason)) this.health.failed(place.key, reason);
      await connection.close();
    } catch (error) {
      const reason = isCarrelError(error) ? error : new CarrelError('internal', undefined, { cause: error });
      if (isIllness(reason)) this.health.failed(place.key, reason);
      place.failed(reason);
    } finally {
      this.places.delete(place.key);
      place.leave();
    }
  }
}

/**
 * Of a user with other values for the server (a new token's claims) it is another connection. The values themselves may be
 * secret, and are not kept here.
 */
function keyOf({ userId, claims }: UserExecutionContext, { name, claims: names }: McpServerConfig): string {
  if (names.length === 0) return `${userId}\n${name}`;
  const values = names.map((claim) => (Object.hasOwn(claims, claim) ? claims[claim] : null));
  return `${userId}\n${name}\n${createHash('sha256').update(JSON.stringify(values)).digest('base64')}`;
}

/** An answer that is too large says nothing about the server's health, nor does the end of this process. */
function isIllness({ code }: CarrelError): boolean {
  return code === 'mcp_unavailable';
}

/** When the connection is gone, that is why the work has failed. */
function whatHappened(server: string, place: PooledServer, error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return error;
  const reason = place.connection ? place.connection.endedBecause : error;
  if (!isCarrelError(reason)) return error;
  if (reason.code === 'draining') return reason;
  // of several it can't be told whose answer it was that was too large
  return unavailable(server, reason, place.wasShared ? 'mcp_unavailable' : reason.code);
}

function leftAlone(server: string, retryAfterMs: number, reason: CarrelError): CarrelError {
  const text = `${reason.message}; it is left alone for a while: try again in ${Math.ceil(retryAfterMs / 1_000)} s`;
  return unavailable(server, new CarrelError('mcp_unavailable', text, { retryAfterMs }));
}

function stopping(): CarrelError {
  return new CarrelError('draining');
}

async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const stop = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  try {
    signal.throwIfAborted();
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
