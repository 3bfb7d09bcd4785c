import { once } from 'node:events';
import type { Socket as TcpSocket } from 'node:net';
import type { Socket } from 'socket.io-client';
import type { ClientToServerEvents, ServerToClientEvents } from '../../src/index.js';
import type { RunEvent } from '../../src/events/run-event.js';

/** A real client that records what it gets. Waiting fails after 5 s. */
export class GatewayClient {
  readonly events: RunEvent[] = [];
  readonly notices: { name: string; data: unknown }[] = [];
  /** Why the client was disconnected. */
  reason: string | undefined;
  private readonly looks = new Set<() => void>();

  constructor(readonly socket: Socket<ServerToClientEvents, ClientToServerEvents>) {
    socket.onAny((name: string, data: unknown) => {
      if (typeof data === 'object' && data !== null && 'runSeq' in data) this.events.push(data as RunEvent);
      else this.notices.push({ name, data });
      this.look();
    });
    socket.on('disconnect', (reason) => {
      this.reason = reason;
      this.look();
    });
  }

  get token(): string {
    return (this.socket.auth as { token: string }).token;
  }

  get seqs(): number[] {
    return this.events.map(({ seq }) => seq);
  }

  /** The texts of the events, without their padding. */
  get thoughts(): string[] {
    return this.events.map(({ data }) => (data as { thought: string }).thought.replace(/\.+$/, ''));
  }

  /** The last `seq` that came, or where the stream began. */
  get position(): number {
    return this.events.at(-1)?.seq ?? 0;
  }

  /** Resolves with what the first notice of a name says. */
  async notice(name: string): Promise<unknown> {
    await this.until(() => this.notices.some((notice) => notice.name === name), `the notice ${name}`);
    return this.notices.find((notice) => notice.name === name)?.data;
  }

  /** Resolves when the event with this `seq` has come. */
  reached(seq: number): Promise<void> {
    return this.until(() => this.position >= seq, `event ${seq}`);
  }

  disconnected(): Promise<void> {
    return this.until(() => !this.socket.connected, 'the disconnect');
  }

  /** The error that the server refuses the handshake with. */
  async refused(): Promise<{ message: string; data?: Record<string, unknown> }> {
    const refused = new Promise<Error>((resolve, reject) => {
      this.socket.once('connect_error', resolve);
      this.socket.once('connect', () => reject(new Error('the handshake was accepted')));
    });
    this.socket.connect();
    return refused;
  }

  /** Sends anything, also what the types forbid, and resolves with the acknowledgement. */
  send(
    name: string,
    ...payloads: unknown[]
  ): Promise<{ ok: boolean; data?: unknown; error?: { code: string; message: string } }> {
    return (this.socket.timeout(20_000) as unknown as Socket).emitWithAck(name, ...payloads);
  }

  /** The client's TCP connection; pause it, and the client reads nothing more. */
  get tcp(): TcpSocket {
    const { transport } = this.socket.io.engine as unknown as { transport: { ws: { _socket: TcpSocket } } };
    return transport.ws._socket;
  }

  /** Loses the connection as a network does, without a word to the server. */
  async cut(): Promise<void> {
    const gone = once(this.socket as unknown as NodeJS.EventEmitter, 'disconnect');
    this.tcp.destroy();
    await gone;
  }

  close(): void {
    this.socket.disconnect();
  }

  private until(holds: () => boolean, what: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.looks.delete(look);
        reject(new Error(`waited in vain for ${what}; ${this.events.length} events came, the last ${this.position}`));
      }, 5_000);
      timer.unref();
      const look = () => {
        if (!holds()) return;
        clearTimeout(timer);
        this.looks.delete(look);
        resolve();
      };
      this.looks.add(look);
      look();
    });
  }

  private look(): void {
    for (const look of this.looks) look();
  }
}

/** 1, 2, 3, …: what a stream must be from `from` to `to`. */
export function sequence(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}
