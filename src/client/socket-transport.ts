import { io, type Socket } from 'socket.io-client';
import type { RunEvent } from '../events/run-event.js';
import type { ClientToServerEvents, ServerToClientEvents, WireReply } from '../edge/wire-events.js';
import { CarrelClientError, errorFrom, unexpected } from './client-error.js';
import type { HttpDoor } from './http-door.js';
import type { LiveFeed } from './live-feed.js';
import { FIRST_PAUSE_MS, LONGEST_PAUSE_MS, pauseMs, type Transport } from './transport.js';

type AgentsSocket = Socket<ServerToClientEvents, ClientToServerEvents>;

/** Whoever comes back later may be let in. */
const PASSING: ReadonlySet<string> = new Set([
  'draining',
  'too_many_sockets',
  'rate_limited',
  'keys_unavailable',
  'internal',
]);
const ANSWER_WITHIN_MS = 10_000;

/** Live events over Socket.IO. */
export class SocketTransport implements Transport {
  private readonly socket: AgentsSocket;
  private hasConnected = false;
  private refusals = 0;
  private isClosed = false;
  /** The token had expired when it was shown. */
  private hadExpired = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** @param unreachable called when a connection can't be made, and none ever stood */
  constructor(
    door: HttpDoor,
    private readonly feed: LiveFeed,
    private readonly unreachable: () => void,
  ) {
    this.socket = io(`${door.url}/agents`, {
      // asked anew for every connection: the token may be another one, and so is the position
      auth: (answer) => void this.auth(door).then(answer, (error: unknown) => this.withoutToken(error)),
      transports: ['websocket', 'polling'],
      tryAllTransports: true,
      reconnectionDelay: FIRST_PAUSE_MS,
      reconnectionDelayMax: LONGEST_PAUSE_MS,
      forceNew: true,
    });
    this.socket.on('connect_error', (error) => this.refused(error as Error & { data?: unknown }));
    this.socket.on('disconnect', (reason) => this.lost(reason));
    this.socket.onAny((name: string, data: unknown) => this.receive(name, data));
  }

  get isConnected(): boolean {
    return this.socket.connected;
  }

  close(): void {
    this.isClosed = true;
    clearTimeout(this.timer);
    this.socket.disconnect();
    this.socket.removeAllListeners();
  }

  /**
   * Sends a message and waits for its answer.
   *
   * @throws CarrelClientError; `unreachable` when there is no answer, which does not mean that nothing was done
   */
  async ask<Data>(name: keyof ClientToServerEvents, message: object): Promise<Data> {
    let reply: WireReply<Data>;
    try {
      reply = (await this.socket.timeout(ANSWER_WITHIN_MS).emitWithAck(name, message as never)) as WireReply<Data>;
    } catch (cause) {
      throw new CarrelClientError('unreachable', `"${name}" was not answered`, {}, { cause });
    }
    if (reply.ok) return reply.data;
    throw errorFrom(reply.error, unexpected(`"${name}" was refused`));
  }

  private async auth({ token }: HttpDoor): Promise<{ token: string; after?: number }> {
    return { token: await token(), after: this.feed.position };
  }

  private receive(name: string, data: unknown): void {
    switch (name) {
      case 'ready':
        this.hasConnected = true;
        this.refusals = 0;
        this.hadExpired = false;
        return this.feed.connected((data as { seq: number }).seq);
      case 'stream_gap':
        return this.feed.pass(data as { from: number; to: number });
      case 'auth_expired': // the server disconnects
      case 'server_draining':
      case 'exception':
        return;
      default:
        if (!this.feed.take(data as RunEvent)) this.connectAgain();
    }
  }

  private lost(reason: Socket.DisconnectReason): void {
    this.feed.disconnected();
    // otherwise the client comes back by itself
    if (reason === 'io server disconnect') this.socket.connect();
  }

  private connectAgain(): void {
    this.socket.disconnect();
    this.socket.connect();
  }

  /** Without `data` the server was not reached, and the client tries again by itself. */
  private refused({ data, message }: Error & { data?: unknown }): void {
    this.feed.disconnected();
    if (data === undefined) {
      if (!this.hasConnected) this.unreachable();
      return;
    }
    const error = errorFrom(data, unexpected(message));
    const { code, retryAfterMs } = error;
    if (PASSING.has(code)) return this.later(retryAfterMs);
    // a token may have expired on its way
    if (code === 'token_expired' && !this.hadExpired) {
      this.hadExpired = true;
      return this.later(0);
    }
    this.feed.refuse(error);
  }

  private withoutToken(error: unknown): void {
    this.socket.disconnect();
    this.feed.disconnected();
    if (error instanceof CarrelClientError && error.code !== 'unreachable') this.feed.refuse(error);
    else this.later();
  }

  private later(delayMs = pauseMs(this.refusals)): void {
    if (this.isClosed) return;
    this.refusals += 1;
    this.timer = setTimeout(() => this.socket.connect(), delayMs);
  }
}
