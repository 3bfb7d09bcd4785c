import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chownSync, existsSync, globSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { Client } from 'pg';
import { freePort } from './free-port.js';

const START_WITHIN_MS = 20_000;

/**
 * A PostgreSQL server for a spec: the one of `CARREL_TEST_DATABASE_URL`, or one of its own that is thrown away. Databases that
 * are made here are dropped with it.
 */
export class PostgresServer {
  private readonly made: string[] = [];

  private constructor(
    /** Of the database to connect to before there are others. */
    private readonly url: string,
    private readonly own?: OwnServer,
  ) {}

  static async start(): Promise<PostgresServer> {
    const url = process.env.CARREL_TEST_DATABASE_URL;
    return url ? new PostgresServer(url) : PostgresServer.startOwn();
  }

  /** One that may be restarted. */
  static async startOwn(): Promise<PostgresServer> {
    const own = await prepared();
    const server = new PostgresServer(`postgresql://postgres@127.0.0.1:${own.port}/postgres`, own);
    process.once('exit', () => own.child?.kill('SIGQUIT'));
    await server.begin();
    return server;
  }

  /** An empty database. @returns its URL */
  async database(options = ''): Promise<string> {
    const name = `carrel_test_${randomUUID().replaceAll('-', '')}`;
    await this.admin(`CREATE DATABASE ${name} ${options}`);
    this.made.push(name);
    return urlOf(this.url, name);
  }

  /** Carries out statements as the administrator. @returns the rows of the last */
  async admin(sql: string, url = this.url): Promise<Record<string, unknown>[]> {
    const client = new Client(url);
    await client.connect();
    try {
      return (await client.query(sql)).rows as Record<string, unknown>[];
    } finally {
      await client.end();
    }
  }

  /** Cuts everybody off from this database, and lets nobody in. */
  async refuse(url: string): Promise<void> {
    const name = nameOf(url);
    await this.admin(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`);
    await this.admin(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}'`);
  }

  async accept(url: string): Promise<void> {
    await this.admin(`ALTER DATABASE ${nameOf(url)} ALLOW_CONNECTIONS true`);
  }

  async stop(): Promise<void> {
    if (!this.own) {
      for (const name of this.made) await this.admin(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      return;
    }
    await this.end();
    rmSync(this.own.dir, { recursive: true, force: true });
  }

  /** Disconnects everybody and ends; what was committed is kept. */
  async end(): Promise<void> {
    const child = this.own?.child;
    if (!child) throw new Error('this server belongs to others');
    if (child.exitCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGINT');
    await ended;
  }

  /** Begins, or begins again, where it was. */
  async begin(): Promise<void> {
    if (!this.own) throw new Error('this server belongs to others');
    this.own.child = spawned(this.own);
    await answering(this, this.own.child);
  }
}

interface OwnServer {
  readonly bin: string;
  readonly dir: string;
  readonly port: number;
  readonly user: { uid: number; gid: number } | undefined;
  child?: ChildProcess;
}

async function prepared(): Promise<OwnServer> {
  const bin = binaries();
  const dir = mkdtempSync(join(tmpdir(), 'carrel-postgres-'));
  const user = ordinaryUser();
  if (user) chownSync(dir, user.uid, user.gid);
  const [data, port] = [join(dir, 'data'), await freePort()];
  const init = ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'];
  execFileSync(join(bin, 'initdb'), init, { stdio: 'pipe', cwd: dir, ...user });
  return { bin, dir, port, user };
}

function spawned({ bin, dir, port, user }: OwnServer): ChildProcess {
  const data = join(dir, 'data');
  const settings = [
    `port=${port}`,
    'listen_addresses=127.0.0.1',
    `unix_socket_directories=${dir}`,
    'max_connections=200',
  ];
  // it is thrown away: nothing need reach the disk
  settings.push('fsync=off', 'synchronous_commit=off', 'full_page_writes=off');
  return spawn(join(bin, 'postgres'), ['-D', data, ...settings.flatMap((setting) => ['-c', setting])], {
    stdio: ['ignore', 'ignore', 'pipe'],
    cwd: dir,
    ...user,
  });
}

/** Until it takes connections. */
async function answering(server: PostgresServer, child: ChildProcess): Promise<void> {
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-4_000)));
  const until = performance.now() + START_WITHIN_MS;
  for (;;) {
    try {
      await server.admin('SELECT 1');
      return;
    } catch (error) {
      if (child.exitCode !== null || performance.now() > until) {
        throw new Error(`PostgreSQL did not start: ${said}`, { cause: error });
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** Where initdb and postgres are; Debian keeps them out of the path. @throws Error that says what to install */
function binaries(): string {
  const dirs = [
    ...(process.env.PATH ?? '').split(delimiter),
    ...globSync('/usr/lib/postgresql/*/bin').toSorted().toReversed(),
  ];
  const found = dirs.find((dir) => existsSync(join(dir, 'initdb')) && existsSync(join(dir, 'postgres')));
  if (found) return found;
  throw new Error(
    'These tests need PostgreSQL 14 or newer: install it (apt-get install postgresql), or name a server (CARREL_TEST_DATABASE_URL)',
  );
}

/** PostgreSQL refuses to run as root. */
function ordinaryUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ['postgres', 'nobody']) {
    try {
      const id = (flag: string) => Number(execFileSync('id', [flag, name], { stdio: 'pipe' }));
      return { uid: id('-u'), gid: id('-g') };
    } catch {
      continue;
    }
  }
  throw new Error('These tests run as root, and there is neither a user "postgres" nor "nobody" to run PostgreSQL as');
}

function nameOf(url: string): string {
  return new URL(url).pathname.slice(1);
}

function urlOf(server: string, database: string): string {
  const url = new URL(server);
  url.pathname = `/${database}`;
  return url.href;
}
