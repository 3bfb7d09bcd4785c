import type { INestApplicationContext } from '@nestjs/common';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { Server, type Namespace, type ServerOptions, type Socket } from 'socket.io';
import type { CarrelConfig } from '../config/config.js';
import { CarrelError } from '../shared/errors.js';
import { endConnections } from './socket-end.js';
import { SocketFlusher } from './socket-flush.js';
import { refusal } from './socket-refusal.js';
import { wireParser } from './wire-encoder.js';

/** A message up to so many times the limit is answered with an error; beyond it the connection ends. */
const HARD_LIMIT_FACTOR = 4;
/** A connection that has joined no namespace by then is closed. */
const CONNECT_TIMEOUT_MS = 10_000;

/** Socket.IO as Carrel runs it: bounded messages, no compression, one flush per turn, and no namespace but the gateway's. */
export class CarrelIoAdapter extends IoAdapter {
  constructor(
    app: INestApplicationContext,
    private readonly config: CarrelConfig,
  ) {
    super(app);
  }

  override createIOServer(port: number, options?: ServerOptions): Server {
    const { bodyLimitBytes, corsOrigins } = this.config.http;
    const server: Server = super.createIOServer(port, {
      ...options,
      serveClient: false,
      connectTimeout: CONNECT_TIMEOUT_MS,
      maxHttpBufferSize: bodyLimitBytes * HARD_LIMIT_FACTOR,
      perMessageDeflate: false,
      parser: wireParser(bodyLimitBytes),
      cors: corsOrigins.length > 0 ? { origin: [...corsOrigins] } : undefined,
    } as ServerOptions);
    new SocketFlusher(server);
    // socket.io always has this namespace, and would let anybody in.
    server.use((_socket: Socket, next) => next(refusal(new CarrelError('not_found', 'the namespace is /agents'))));
    return server;
  }

  /** Ends the connections, but not the HTTP server: that is Nest's to close, after its last requests. */
  override async close(server: Server | Namespace): Promise<void> {
    if (server instanceof Server) await endConnections(server);
  }
}
