import type { McpConfig } from '../../config/mcp-config.js';
import { CarrelError } from '../../shared/errors.js';
import type { UserId } from '../../shared/ids.js';
import { unavailable } from './mcp-failure.js';
import type { PooledServer } from './pooled-server.js';

/** By then some work may have ended. */
const RETRY_AFTER_MS = 1_000;

/** How many connections one user, and all users together, may have: those that are being opened or closed count too. */
export class PlacesLeft {
  constructor(
    private readonly places: ReadonlyMap<string, PooledServer>,
    private readonly limits: Pick<McpConfig, 'userMaxConnections' | 'maxConnections'>,
  ) {}

  /**
   * Makes room for one more: has the one that has been idle for the longest closed.
   *
   * @returns a place that will be free in a moment, to be waited for; undefined when there is room
   * @throws CarrelError `mcp_unavailable`, with `retryAfterMs`, when all places are in use
   */
  makeRoom(userId: UserId, server: string): PooledServer | undefined {
    const all = [...this.places.values()];
    const own = all.filter((place) => place.userId === userId);
    const { userMaxConnections, maxConnections } = this.limits;
    if (own.length >= userMaxConnections) {
      return (
        dispensable(own) ??
        refuse(server, `you use all of your ${own.length} MCP connections (CARREL_MCP_USER_MAX_CONNECTIONS)`)
      );
    }
    if (all.length >= maxConnections) {
      return (
        dispensable(all) ?? refuse(server, `all ${all.length} MCP connections are in use (CARREL_MCP_MAX_CONNECTIONS)`)
      );
    }
    return undefined;
  }
}

function dispensable(places: readonly PooledServer[]): PooledServer | undefined {
  const closing = places.find(({ isUsable }) => !isUsable);
  if (closing) return closing;
  const [longestIdle] = places.filter(({ isIdle }) => isIdle).toSorted((a, b) => a.sinceMs - b.sinceMs);
  longestIdle?.end();
  return longestIdle;
}

function refuse(server: string, why: string): never {
  throw unavailable(server, new CarrelError('mcp_unavailable', why, { retryAfterMs: RETRY_AFTER_MS }));
}
