import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../src/config/load-config.js';
import { signToken } from '../../src/edge/token-signer.js';
import { CarrelProcess } from '../carrel-process.js';
import { CarrelUser } from '../carrel-server.js';
import { PostgresServer } from './postgres.js';
import { RedisServer } from './redis.js';

const SECRET = { CARREL_JWT_SECRET: 'a secret of at least thirty-two bytes, for tests' };

/** One line of what the agents of `test/fixtures/cluster-agents.module.mjs` write down. */
export interface WorkRecord {
  what: 'begin' | 'end';
  userId: string;
  runId: string;
  attempt: number;
  pid: number;
  /** By the clock of the machine that is never set. */
  atMs: number;
}

/** The clock of `WorkRecord.atMs`. */
export function recordsNow(): number {
  return Number(process.hrtime.bigint() / 1_000n) / 1_000;
}

/** Real nodes on a PostgreSQL and a Redis of their own, all of which may be killed. */
export class Cluster implements AsyncDisposable {
  /** Those that were started and not stopped or killed. */
  readonly nodes: CarrelProcess[] = [];
  private readonly started: CarrelProcess[] = [];
  private readonly dir = mkdtempSync(join(tmpdir(), 'carrel-cluster-'));
  private readonly prefix = `test-${randomUUID().slice(0, 8)}`;

  private constructor(
    readonly postgres: PostgresServer,
    readonly redis: RedisServer,
    readonly databaseUrl: string,
    private readonly env: Record<string, string>,
  ) {}

  /** @param roles one node for each */
  static async start(
    { roles = ['all', 'all', 'all'] }: { roles?: string[] } = {},
    env: Record<string, string> = {},
  ): Promise<Cluster> {
    const [postgres, redis] = await Promise.all([PostgresServer.startOwn(), RedisServer.startOwn()]);
    const cluster = new Cluster(postgres, redis, await postgres.database(), env);
    await Promise.all(roles.map((role) => cluster.add(role)));
    return cluster;
  }

  async add(role = 'all', env: Record<string, string> = {}): Promise<CarrelProcess> {
    const node = await CarrelProcess.start(join(this.dir, randomUUID()), {
      agents: 'test/fixtures/cluster-agents.module.mjs',
      env: {
        ...SECRET,
        DATABASE_URL: this.databaseUrl,
        REDIS_URL: this.redis.url,
        CARREL_REDIS_PREFIX: this.prefix,
        CARREL_ROLE: role,
        RECORDS: join(this.dir, 'records'),
        ...this.env,
        ...env,
      },
    });
    this.nodes.push(node);
    this.started.push(node);
    return node;
  }

  /** kill -9. @returns when */
  async kill(node: CarrelProcess): Promise<number> {
    this.forget(node);
    await node.kill();
    return recordsNow();
  }

  /** SIGTERM, and the exit code. */
  stop(node: CarrelProcess): Promise<number | null> {
    this.forget(node);
    return node.stop();
  }

  token(userId: string, roles: string[] = []): Promise<string> {
    return signToken(loadConfig(SECRET), { userId, roles, ttlSeconds: 3600 });
  }

  /** One user's view of one node. */
  async as(userId: string, node: CarrelProcess): Promise<CarrelUser> {
    return new CarrelUser(node, userId, await this.token(userId));
  }

  /** Statements beside Carrel. */
  sql(text: string): Promise<Record<string, unknown>[]> {
    return this.postgres.admin(text, this.databaseUrl);
  }

  /** What the agents of all nodes have written down. */
  records(): WorkRecord[] {
    const lines = readFileSync(join(this.dir, 'records'), 'utf8').split('\n').filter(Boolean);
    return lines.map((line) => JSON.parse(line) as WorkRecord);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.started.map((node) => node.kill()));
    await Promise.all([this.postgres.stop(), this.redis.stop()]);
    rmSync(this.dir, { recursive: true, force: true });
  }

  private forget(node: CarrelProcess): void {
    const at = this.nodes.indexOf(node);
    if (at >= 0) this.nodes.splice(at, 1);
  }
}
