import type { Server, Socket } from 'socket.io';

/** What engine.io keeps to itself; only the transport of a WebSocket has a `socket`, that of `ws`. */
interface Connection {
  flush(): void;
  close(discard?: boolean): void;
  readonly transport: { readonly socket?: { readonly _socket?: { cork(): void; uncork(): void } | null } };
}

/**
 * One transport flush per turn of the event loop. engine.io hands every packet to the transport at once, which costs a
 * system call each; here a connection's flush waits until the I/O of this turn has been handled, and what has gathered
 * by then leaves in one write, the TCP socket being corked around it. Protocol and order stay as they are.
 *
 * A transport that is ready again and a finished upgrade ask for a flush too, and get it in the same way. A close first
 * sends what is pending, since engine.io takes it for sent.
 */
export class SocketFlusher {
  /** Connection → its own flush. */
  private readonly pending = new Map<Connection, () => void>();

  constructor(server: Server) {
    server.engine.on('connection', (connection: Socket['conn']) => this.defer(connection as unknown as Connection));
  }

  private defer(connection: Connection): void {
    const { flush, close } = connection;
    connection.flush = () => this.schedule(connection, flush);
    connection.close = (discard) => {
      if (this.pending.delete(connection)) flushCorked(connection, flush);
      close.call(connection, discard);
    };
  }

  private schedule(connection: Connection, flush: () => void): void {
    if (this.pending.size === 0) setImmediate(this.flushAll);
    this.pending.set(connection, flush);
  }

  private readonly flushAll = (): void => {
    // What a flush schedules is for the next turn.
    const due = Array.from(this.pending);
    try {
      for (const [connection, flush] of due) {
        if (this.pending.delete(connection)) flushCorked(connection, flush);
      }
    } finally {
      // Including what waits behind one that threw.
      if (this.pending.size > 0) setImmediate(this.flushAll);
    }
  };
}

function flushCorked(connection: Connection, flush: () => void): void {
  const tcp = connection.transport.socket?._socket;
  tcp?.cork();
  try {
    flush.call(connection);
  } finally {
    tcp?.uncork();
  }
}
