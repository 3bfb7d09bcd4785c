import type { McpServerConfig } from '../../config/mcp-config.js';
import type { CarrelError } from '../../shared/errors.js';
import type { Illness } from './mcp-health.js';
import type { PooledServer } from './pooled-server.js';

/** What a server says of itself is cut here. */
const MAX_TEXT_LENGTH = 256;

/** How one server is for one user. No secrets, nothing of the machine. */
export interface McpServerState {
  readonly name: string;
  readonly transport: McpServerConfig['kind'];
  /** `idle`: it is connected to when it is needed; `backing_off`: it failed, and is tried again soon; `failed`: too often, or for good. */
  readonly state: 'idle' | 'connecting' | 'ready' | 'backing_off' | 'failed';
  /** Since when, in milliseconds since the Unix epoch; undefined for one that was never used. */
  readonly sinceMs?: number;
  /** What was agreed on. */
  readonly protocolVersion?: string;
  readonly serverInfo?: { readonly name: string; readonly version: string };
  /** Why it could not be used the last time; gone when it can be again. */
  readonly error?: CarrelError;
  /** It is not tried again before, in milliseconds since the Unix epoch. */
  readonly retryAtMs?: number;
}

export function stateOf(
  { name, kind }: McpServerConfig,
  place: PooledServer | undefined,
  illness: Illness | undefined,
  nowMs: number,
): McpServerState {
  const basics = { name, transport: kind, error: illness?.reason };
  if (place && place.phase !== 'closing') {
    const { phase, sinceMs, connection } = place;
    const version = connection?.client.getServerVersion();
    return {
      ...basics,
      state: phase,
      sinceMs,
      protocolVersion: connection?.client.getNegotiatedProtocolVersion(),
      serverInfo: version && { name: cut(version.name), version: cut(version.version) },
    };
  }
  if (!illness) return { ...basics, state: 'idle' };
  const { sinceMs, reason, retryAtMs, isBroken } = illness;
  if (!reason.retryable) return { ...basics, state: 'failed', sinceMs };
  if (nowMs >= retryAtMs) return { ...basics, state: 'idle', sinceMs };
  return { ...basics, state: isBroken ? 'failed' : 'backing_off', sinceMs, retryAtMs };
}

function cut(text: string): string {
  return text.slice(0, MAX_TEXT_LENGTH);
}
