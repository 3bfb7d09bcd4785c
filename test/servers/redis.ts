import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort } from './free-port.js';

const START_WITHIN_MS = 20_000;

/** A Redis server for a spec: the one of `CARREL_TEST_REDIS_URL`, or one of its own that is thrown away. */
export class RedisServer {
  private constructor(
    readonly url: string,
    private readonly own?: { dir: string; port: number; options: readonly string[]; child?: ChildProcess },
  ) {}

  static async start(): Promise<RedisServer> {
    const url = process.env.CARREL_TEST_REDIS_URL;
    return url ? new RedisServer(url) : RedisServer.startOwn();
  }

  /** One that may be killed and emptied. @param options as `redis-server` takes them */
  static async startOwn(...options: string[]): Promise<RedisServer> {
    checkInstalled();
    const [dir, port] = [mkdtempSync(join(tmpdir(), 'carrel-redis-')), await freePort()];
    const server = new RedisServer(`redis://127.0.0.1:${port}`, { dir, port, options });
    process.once('exit', () => server.own?.child?.kill('SIGKILL'));
    await server.restart();
    return server;
  }

  /** What names in Redis begin with, for one test: nobody else's do. */
  prefix(): string {
    return `test-${randomUUID().slice(0, 8)}`;
  }

  /** Carries out one command. */
  async command(...[name, ...args]: [string, ...string[]]): Promise<unknown> {
    const client = new Redis(this.url);
    try {
      return await client.call(name, ...args);
    } finally {
      client.disconnect();
    }
  }

  /** Everything in it is gone. */
  async flush(): Promise<void> {
    this.checkOwn();
    await this.command('FLUSHALL');
  }

  /** Ends it as a crash does: nothing of what was in it is kept. */
  async kill(): Promise<void> {
    const { child } = this.checkOwn();
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  /** Begins again on the same port, empty. */
  async restart(): Promise<void> {
    const own = this.checkOwn();
    await this.kill();
    const args = ['--port', String(own.port), '--bind', '127.0.0.1', '--dir', own.dir, '--save', '', ...own.options];
    const child = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'pipe'] });
    own.child = child;
    await answering(this, child);
  }

  async stop(): Promise<void> {
    if (!this.own) return;
    await this.kill();
    rmSync(this.own.dir, { recursive: true, force: true });
  }

  private checkOwn() {
    if (!this.own) throw new Error('this server belongs to others: only one of its own may be killed or emptied');
    return this.own;
  }
}

async function answering(server: RedisServer, child: ChildProcess): Promise<void> {
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-4_000)));
  }
  const until = performance.now() + START_WITHIN_MS;
  const client = new Redis(server.url, { retryStrategy: () => 20, maxRetriesPerRequest: null });
  client.on('error', () => {
    if (child.exitCode !== null || performance.now() > until) client.disconnect();
  });
  try {
    await client.ping();
  } catch (error) {
    throw new Error(`Redis did not start: ${said}`, { cause: error });
  } finally {
    client.disconnect();
  }
}

function checkInstalled(): void {
  try {
    execFileSync('redis-server', ['--version'], { stdio: 'pipe' });
  } catch (error) {
    const text =
      'These tests need Redis 6.2 or newer: install it (apt-get install redis-server), or name a server (CARREL_TEST_REDIS_URL)';
    throw new Error(text, { cause: error });
  }
}
