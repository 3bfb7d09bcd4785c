import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A network between clients and one server that can be cut: connections end in the middle of whatever they carry. */
export class CuttableNetwork implements AsyncDisposable {
  private readonly open = new Set<Socket>();
  private isDown = false;
  /** Upgrades to WebSocket and Socket.IO's polling do not get through, as with some proxies. */
  blocksSockets = false;
  /** So many connections are to be cut when the server answers. */
  answersToLose = 0;
  cuts = 0;

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async before(target: string): Promise<CuttableNetwork> {
    const { port } = new URL(target);
    const server = createServer({ noDelay: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const network = new CuttableNetwork(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    server.on('connection', (client) => network.carry(client, Number(port)));
    return network;
  }

  /** Ends all connections now. */
  cut(): void {
    this.cuts += 1;
    for (const socket of this.open) socket.destroy();
  }

  /** Connections stay, but nothing comes over those that there are. */
  freeze(): void {
    for (const socket of this.open) socket.unpipe().pause();
  }

  /** No connection gets through any more. */
  down(): void {
    this.isDown = true;
    this.cut();
  }

  up(): void {
    this.isDown = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.down();
    this.server.close();
    await once(this.server, 'close');
  }

  private carry(client: Socket, port: number): void {
    if (this.isDown) return void client.destroy();
    const server = connect(port, '127.0.0.1');
    for (const socket of [client, server]) {
      this.open.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => {
        this.open.delete(socket);
        client.destroy();
        server.destroy();
      });
    }
    client.on('data', (data) => {
      if (this.blocksSockets && /^(GET|POST) \/socket\.io\//.test(data.toString('latin1')))
        return void client.destroy();
      server.write(data);
    });
    server.once('data', () => {
      if (this.answersToLose === 0) return;
      this.answersToLose -= 1;
      client.destroy();
    });
    server.pipe(client);
  }
}
