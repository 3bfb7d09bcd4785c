import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo, Socket as TcpSocket } from 'node:net';
import { Server, type Socket } from 'socket.io';
import { connect, type Socket as Client } from 'socket.io-client';
import { SocketFlusher } from '../../src/edge/socket-flush.js';
import { sequence } from './gateway-client.js';

/** A bare Socket.IO server with a flusher, and clients that note the numbers they get. */
class FlushServer implements AsyncDisposable {
  readonly tcpWrites = { count: 0 };
  private readonly clients: Client[] = [];

  private constructor(
    readonly http: HttpServer,
    readonly io: Server,
  ) {}

  static async start(): Promise<FlushServer> {
    const http = createServer();
    const server = new FlushServer(http, new Server(http));
    http.on('connection', (tcp: TcpSocket) => server.countWrites(tcp));
    new SocketFlusher(server.io);
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    return server;
  }

  async connect(transports = ['websocket']): Promise<{ client: Client; socket: Socket; numbers: number[] }> {
    const { port } = this.http.address() as AddressInfo;
    const numbers: number[] = [];
    const connected = new Promise<Socket>((resolve) => this.io.once('connection', resolve));
    const client = connect(`http://127.0.0.1:${port}`, { transports, forceNew: true, reconnection: false });
    this.clients.push(client);
    client.on('number', (n: number) => numbers.push(n));
    return { client, socket: await connected, numbers };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.clients) client.disconnect();
    await this.io.close();
  }

  private countWrites(tcp: TcpSocket): void {
    const inner = tcp as unknown as Record<'_write' | '_writev', (...args: unknown[]) => void>;
    for (const name of ['_write', '_writev'] as const) {
      const write = inner[name];
      inner[name] = (...args) => {
        this.tcpWrites.count += 1;
        write.apply(tcp, args);
      };
    }
  }
}

const emitAll = (socket: Socket, from: number, to: number) => {
  for (const n of sequence(from, to)) socket.emit('number', n);
};

const got = (client: Client, last: number) =>
  new Promise<void>((resolve) => client.on('number', (n: number) => n === last && resolve()));

describe('one flush per turn', () => {
  it('sends all packets of a turn in one write', async () => {
    await using server = await FlushServer.start();
    const { client, socket, numbers } = await server.connect();
    emitAll(socket, 1, 1);
    await got(client, 1);
    const before = server.tcpWrites.count;
    emitAll(socket, 2, 21);
    await got(client, 21);
    expect(server.tcpWrites.count - before).toBe(1);
    expect(numbers).toEqual(sequence(1, 21));
  });

  it('keeps the order over many turns, and after a transport that was busy', async () => {
    await using server = await FlushServer.start();
    const { client, socket, numbers } = await server.connect();
    const done = got(client, 3_000);
    for (let n = 1; n <= 3_000; n += 30) {
      emitAll(socket, n, n + 29);
      if (n % 4 === 1) await new Promise((resolve) => setImmediate(resolve));
    }
    await done;
    expect(numbers).toEqual(sequence(1, 3_000));
  });

  it('works the same for a client that polls', async () => {
    await using server = await FlushServer.start();
    const { client, socket, numbers } = await server.connect(['polling']);
    const done = got(client, 200);
    for (let n = 1; n <= 200; n += 10) {
      emitAll(socket, n, n + 9);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await done;
    expect(numbers).toEqual(sequence(1, 200));
  });

  it('loses nothing to an upgrade in the middle of a stream', async () => {
    await using server = await FlushServer.start();
    const { client, socket, numbers } = await server.connect(['polling', 'websocket']);
    let last = 0;
    while (socket.conn.transport.name === 'polling') {
      emitAll(socket, last + 1, last + 5);
      last += 5;
      await new Promise((resolve) => setImmediate(resolve));
    }
    const done = got(client, last + 5);
    emitAll(socket, last + 1, last + 5);
    await done;
    expect(numbers).toEqual(sequence(1, last + 5));
  });

  it('sends what is pending before it closes a connection', async () => {
    await using server = await FlushServer.start();
    const { client, socket, numbers } = await server.connect();
    const gone = new Promise((resolve) => client.once('disconnect', resolve));
    emitAll(socket, 1, 5);
    socket.disconnect(true);
    expect(await gone).toBe('io server disconnect');
    expect(numbers).toEqual(sequence(1, 5));
  });

  it('sends what is pending when the server closes', async () => {
    await using server = await FlushServer.start();
    const { client, socket, numbers } = await server.connect();
    const gone = new Promise((resolve) => client.once('disconnect', resolve));
    emitAll(socket, 1, 5);
    await server.io.close();
    await gone;
    expect(numbers).toEqual(sequence(1, 5));
  });

  it('goes on for the others when a connection is lost with a flush pending', async () => {
    await using server = await FlushServer.start();
    const lost = await server.connect();
    const kept = await server.connect();
    const done = got(kept.client, 5);
    emitAll(lost.socket, 1, 5);
    (lost.socket.conn as unknown as { onClose(reason: string): void }).onClose('transport close');
    emitAll(kept.socket, 1, 5);
    await done;
    expect(kept.numbers).toEqual(sequence(1, 5));
    expect(lost.socket.connected).toBe(false);
  });
});
