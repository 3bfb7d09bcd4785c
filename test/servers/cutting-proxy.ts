import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

const DEFAULT_PORTS: Record<string, number> = { 'postgresql:': 5432, 'postgres:': 5432, 'redis:': 6379 };

/** Stands between Carrel and a server that it uses: it loses answers, cuts connections, or lets nothing pass. */
export class CuttingProxy {
  private readonly commit = Promise.withResolvers<void>();
  /** Somebody has asked for something whose answer is not passed on. */
  readonly asked = this.commit.promise;
  private readonly silence = Promise.withResolvers<void>();
  /** A connection has become a black hole. */
  readonly isSilent = this.silence.promise;
  private isMute = false;
  private cutsWhenMute = false;
  private waitsFor: { text: string; passOn: boolean; silently?: boolean } | undefined;
  private refuses = false;
  private isHolding = false;
  private readonly cuts: (() => void)[] = [];
  private readonly ends = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async to(target: string): Promise<CuttingProxy> {
    const real = new URL(target);
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const own = new URL(target);
    own.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const proxy = new CuttingProxy(server, own.href);
    server.on('connection', (client) => {
      if (proxy.refuses) {
        client.destroy();
        return;
      }
      const behind = connect(Number(real.port || DEFAULT_PORTS[real.protocol]), real.hostname);
      const cut = () => void (client.destroy(), behind.destroy());
      let isSilent = false;
      client.on('data', (data) => {
        if (isSilent) return;
        const expected = proxy.waitsFor;
        const isIt = expected !== undefined && data.includes(expected.text);
        if (isIt) proxy.waitsFor = undefined;
        if (isIt && expected.silently) {
          isSilent = true;
          proxy.silence.resolve();
          if (expected.passOn) behind.write(data);
          return;
        }
        if (isIt && expected.passOn) proxy.muteAnswers();
        if (isIt && !expected.passOn) return cut();
        behind.write(data);
      });
      behind.on('data', (data) => {
        if (isSilent) return;
        if (!proxy.isMute) return void client.write(data);
        proxy.commit.resolve();
        if (proxy.cutsWhenMute) proxy.cut();
      });
      for (const socket of [client, behind]) {
        socket.on('error', cut).on('close', () => isSilent || cut());
        socket.once('close', () => proxy.ends.delete(socket));
        proxy.ends.add(socket);
        if (proxy.isHolding) socket.pause();
      }
      proxy.cuts.push(cut);
    });
    return proxy;
  }

  /**
   * Cuts all connections when a client says this text, once: before the server has heard of it, or when it has answered and
   * nobody hears that.
   */
  cutAt(text: string, { passOn }: { passOn: boolean }): void {
    this.waitsFor = { text, passOn };
    this.cutsWhenMute = true;
  }

  /**
   * From when a client says this text, once, its connection is a black hole: nothing comes through either way, and neither
   * side is told when the other one closes. @param passOn whether the server hears of that
   */
  silenceAt(text: string, { passOn }: { passOn: boolean }): void {
    this.waitsFor = { text, passOn, silently: true };
  }

  muteAnswers(): void {
    this.isMute = true;
  }

  cut(): void {
    this.isMute = false;
    for (const cut of this.cuts) cut();
  }

  /** Cuts all connections, and takes no others. */
  refuse(): void {
    this.refuses = true;
    this.cut();
  }

  accept(): void {
    this.refuses = false;
  }

  /** Connections stay open, old ones and new ones, and nothing passes. */
  hold(): void {
    this.isHolding = true;
    for (const end of this.ends) end.pause();
  }

  /** What was held passes. */
  letPass(): void {
    this.isHolding = false;
    for (const end of this.ends) end.resume();
  }

  close(): void {
    this.cut();
    this.server.close();
  }
}
