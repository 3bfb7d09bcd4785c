import { setTimeout as delay } from 'node:timers/promises';
import type { Server, Socket } from 'socket.io';

/** A client that does not answer the end of its connection within this time is cut off: it would hold up the shutdown. */
const CLOSE_GRACE_MS = 1_000;

type Connection = Socket['conn'];

/** What `ws` offers, behind engine.io's back. */
interface WebSocket {
  once(event: 'close', listener: () => void): unknown;
  terminate(): void;
}

/** Ends a connection without waiting for what was not sent, nor for the client. */
export function cutConnection(connection: Connection): void {
  const socket = webSocketOf(connection);
  if (socket) socket.terminate();
  else connection.close(true);
}

/** Ends all connections of a server; what was emitted before is sent to whoever still reads. */
export async function endConnections(server: Server): Promise<void> {
  const connections = Object.values((server.engine as unknown as { clients: Record<string, Connection> }).clients);
  const closed = connections.map(whenClosed);
  server.engine.close();
  const timer = new AbortController();
  await Promise.race([Promise.all(closed), delay(CLOSE_GRACE_MS, undefined, timer).catch(() => {})]);
  timer.abort();
  for (const connection of connections) webSocketOf(connection)?.terminate();
}

/** Only a WebSocket's end takes time; a poll has been answered when its connection is closed. */
function whenClosed(connection: Connection): Promise<void> {
  const socket = webSocketOf(connection);
  return new Promise((resolve) => (socket ? socket.once('close', resolve) : resolve()));
}

function webSocketOf({ transport }: Connection): WebSocket | undefined {
  return (transport as { readonly socket?: WebSocket }).socket;
}
