import { setTimeout as pause } from 'node:timers/promises';
import type { CarrelProcess } from '../carrel-process.js';
import { Cluster } from '../servers/cluster.js';
import { CuttingProxy } from '../servers/cutting-proxy.js';
import type { ClusterUser } from './cluster-user.js';
import type { Load } from './load.js';

/** Longer than others wait for a node's sign of life, and than they take to look. */
const DEAD_FOR_SURE_MS = 16_000;
const PATIENCE_MS = 30_000;
const DRAIN_MS = '200';

/** Three nodes. The way of the last one to its servers can be cut. */
export class CutCluster implements AsyncDisposable {
  private constructor(
    readonly cluster: Cluster,
    readonly far: CarrelProcess,
    readonly toRedis: CuttingProxy,
    readonly toPostgres: CuttingProxy,
  ) {}

  static async start(): Promise<CutCluster> {
    // fewer slots than the users have places in their lanes, so that runs wait in Redis
    const env = { CARREL_RUN_SLOTS: '3', CARREL_USER_MAX_QUEUED: '1000', CARREL_DRAIN_MS: DRAIN_MS };
    const cluster = await Cluster.start({ roles: ['all', 'all'] }, env);
    const toRedis = await CuttingProxy.to(cluster.redis.url);
    const toPostgres = await CuttingProxy.to(cluster.databaseUrl);
    const far = await cluster.add('all', { REDIS_URL: toRedis.url, DATABASE_URL: toPostgres.url });
    return new CutCluster(cluster, far, toRedis, toPostgres);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cluster[Symbol.asyncDispose]();
    for (const proxy of [this.toRedis, this.toPostgres]) proxy.close();
  }
}

export interface Fault {
  readonly name: string;
  /** Other specs have it, with more to say: here it is for its figures only. */
  readonly isElsewhere?: boolean;
  /** Resolves when it is over. @param holdMs how long what is taken away stays away, at least */
  happen(world: CutCluster, load: Load, holdMs: number): Promise<void>;
}

export const FAULTS: readonly Fault[] = [
  {
    name: 'kill -9 of a node',
    isElsewhere: true,
    async happen({ cluster }, _load, holdMs) {
      await cluster.kill(cluster.nodes[0]!);
      await cluster.add();
      await pause(holdMs);
    },
  },
  {
    name: 'SIGSTOP of a node, and SIGCONT when it is dead for the others',
    isElsewhere: true,
    async happen({ cluster }, { users }, holdMs) {
      const [node] = cluster.nodes.splice(0, 1); // as a load balancer does when `/ready` is not answered
      node!.signal('SIGSTOP');
      await pause(Math.max(holdMs, DEAD_FOR_SURE_MS));
      node!.signal('SIGCONT');
      await until(users[0]!, node!, { status: 200 });
      cluster.nodes.unshift(node!);
    },
  },
  {
    name: 'Redis killed and restarted',
    async happen({ cluster }, load, holdMs) {
      await cluster.redis.kill();
      await Promise.all([load.goesOn(), pause(holdMs)]);
      await cluster.redis.restart();
    },
  },
  {
    name: '`FLUSHALL`, three times',
    async happen({ cluster }, load, holdMs) {
      for (let i = 0; i < 3; i++) {
        await cluster.redis.flush();
        await Promise.all([load.goesOn(), pause(holdMs / 3)]);
      }
    },
  },
  {
    name: 'PostgreSQL restarted',
    async happen({ cluster }, _load, holdMs) {
      await cluster.postgres.end();
      await pause(holdMs / 4);
      await cluster.postgres.begin();
    },
  },
  {
    name: 'PostgreSQL refuses connections',
    async happen({ cluster }, _load, holdMs) {
      await cluster.postgres.refuse(cluster.databaseUrl);
      await pause(holdMs);
      await cluster.postgres.accept(cluster.databaseUrl);
    },
  },
  {
    name: 'one node cut off from Redis',
    async happen({ cluster, far, toRedis }, load, holdMs) {
      toRedis.refuse();
      await seenAs(cluster, load, far, { status: 200, says: 'degraded' });
      await Promise.all([load.goesOn(), pause(holdMs)]);
      toRedis.accept();
      await until(load.users[0]!, far, { status: 200, says: 'ready' });
    },
  },
  {
    name: 'nothing passes between one node and Redis',
    async happen({ cluster, far, toRedis }, load, holdMs) {
      toRedis.hold();
      await seenAs(cluster, load, far, { status: 200, says: 'degraded' });
      await Promise.all([load.goesOn(), pause(holdMs)]);
      toRedis.letPass();
      await until(load.users[0]!, far, { status: 200, says: 'ready' });
    },
  },
  {
    name: 'one node cut off from PostgreSQL',
    async happen({ cluster, far, toPostgres }, load, holdMs) {
      toPostgres.refuse();
      await seenAs(cluster, load, far, { status: 503 });
      await pause(holdMs);
      toPostgres.accept();
      await until(load.users[0]!, far, { status: 200 });
    },
  },
  {
    name: 'nothing passes between one node and PostgreSQL',
    async happen({ cluster, far, toPostgres }, load, holdMs) {
      toPostgres.hold();
      await seenAs(cluster, load, far, { status: 503 });
      await pause(holdMs);
      toPostgres.letPass();
      await until(load.users[0]!, far, { status: 200 });
    },
  },
  {
    name: 'the clock of one node is five minutes fast',
    isElsewhere: true,
    async happen({ cluster }, _load, holdMs) {
      const fast = await cluster.add('all', shiftedBy(5 * 60_000));
      await cluster.stop(cluster.nodes[0]!);
      await pause(holdMs);
      await cluster.add();
      await cluster.stop(fast);
    },
  },
  {
    name: 'rolling restart of all nodes',
    isElsewhere: true,
    async happen({ cluster, far }) {
      for (const node of cluster.nodes.filter((one) => one !== far)) {
        await cluster.add();
        await cluster.stop(node);
      }
    },
  },
];

/** The settings of a node whose time of day is wrong. */
export function shiftedBy(ms: number): Record<string, string> {
  const shift = `const now = Date.now; Date.now = () => now() + ${ms};`;
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(shift)}` };
}

interface Answer {
  readonly status: number;
  readonly says?: string;
}

/** One node says this of itself, and the others are ready. */
async function seenAs(cluster: Cluster, { users }: Load, node: CarrelProcess, answer: Answer): Promise<void> {
  await until(users[0]!, node, answer);
  const others = cluster.nodes.filter((one) => one !== node);
  await Promise.all(others.map((one) => until(users[0]!, one, { status: 200, says: 'ready' })));
}

/** Resolves when `/ready` is answered so. */
async function until(user: ClusterUser, node: CarrelProcess, { status, says }: Answer): Promise<void> {
  let body: { status?: unknown } | undefined;
  for (const giveUpAtMs = performance.now() + PATIENCE_MS; performance.now() < giveUpAtMs;) {
    const response = await user.ask(node, 'GET', '/ready');
    body = (await response?.json().catch(() => undefined)) as typeof body;
    if (response?.status === status && (says === undefined || body?.status === says)) return;
    await pause(50);
  }
  throw new Error(`a node does not say ${says ?? status}, but ${JSON.stringify(body)}`);
}
