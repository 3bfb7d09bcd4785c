import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Socket } from 'socket.io-client';
import { loadConfig } from '../src/config/load-config.js';
import { signToken } from '../src/edge/token-signer.js';
import { CarrelUser } from './carrel-server.js';
import { profileSettings } from './servers/profile.js';

/** The built server in a process of its own, started as people start it; it can be killed for real. */
export class CarrelProcess {
  private readonly sockets = new Set<Socket>();
  private readonly waiting = new Set<() => void>();

  private constructor(
    private readonly child: ChildProcess,
    private readonly dataDir: string,
    /** Every line that it has written, to stdout or stderr. */
    readonly output: string[],
    readonly url: string,
  ) {}

  /** Resolves when the server has said where it listens. */
  static async start(
    dataDir: string,
    options: { agents?: string; env?: Record<string, string> } = {},
  ): Promise<CarrelProcess> {
    const args = ['dist/main.js', 'start', '--port', '0', '--data', dataDir];
    if (options.agents) args.push('--agents', resolve(options.agents));
    const child = spawn(process.execPath, args, {
      env: {
        PATH: process.env.PATH,
        CARREL_LOG_LEVEL: 'warn',
        CARREL_USER_STARTS_PER_MINUTE: '1000000',
        ...(await profileSettings(dataDir)),
        ...options.env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const said: string[] = [];
    const server = Promise.withResolvers<CarrelProcess>();
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream! }).on('line', (line) => {
        said.push(line);
        const address = /listens on (http:\/\/\S+)/.exec(line)?.[1];
        if (address) server.resolve(new CarrelProcess(child, dataDir, said, address));
        void server.promise.then(({ waiting }) => waiting.forEach((look) => look())).catch(() => undefined);
      });
    }
    child.once('close', (code, signal) =>
      server.reject(new Error(`the server ended (${code ?? signal}): ${said.join('\n')}`)),
    );
    return server.promise;
  }

  /** One user's view of the server, over real HTTP and Socket.IO. */
  async as(userId: string): Promise<CarrelUser> {
    const config = loadConfig({ CARREL_DATA_DIR: this.dataDir });
    return new CarrelUser(this, userId, await signToken(config, { userId, roles: [], ttlSeconds: 3600 }));
  }

  track(socket: Socket): Socket {
    this.sockets.add(socket);
    return socket;
  }

  /** The first line of the output, past or future, that fits. */
  line(pattern: RegExp): Promise<string> {
    return new Promise((found) => {
      const look = () => {
        const line = this.output.find((said) => pattern.test(said));
        if (line === undefined) return;
        this.waiting.delete(look);
        found(line);
      };
      this.waiting.add(look);
      look();
    });
  }

  get pid(): number {
    return this.child.pid!;
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  /** kill -9 */
  async kill(): Promise<void> {
    const exited = this.ended();
    this.child.kill('SIGKILL');
    await exited;
  }

  /** SIGTERM, and the exit code that it leads to. */
  async stop(): Promise<number | null> {
    const exited = this.ended();
    this.child.kill('SIGTERM');
    return exited;
  }

  /** The exit code, when it has one. */
  async ended(): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, 'close');
    for (const socket of this.sockets) socket.disconnect();
    return this.child.exitCode;
  }
}
