/** Carrel on so many nodes, with its users: over its doors, or from inside. */
import { connectAll, inParallel, poster, startServer } from '../lib.mjs';
import { newDatabase, REDIS, spentOn } from './places.mjs';

export const CONCURRENCY = 100;
const body = { agent: 'thinker', input: { text: 'a short text about the sea' } };

let started = 0;

/** @param nodes 0: embedded */
export async function carrel(nodes, users) {
  const database = nodes > 0 ? await newDatabase() : undefined;
  const shared = database && {
    BENCH_DATABASE_URL: database,
    BENCH_REDIS_URL: REDIS,
    BENCH_REDIS_PREFIX: `bench-${process.pid}-${started++}`,
  };
  const servers = [];
  // slots for all that is under way: the peers have no limit either
  for (let n = 0; n < Math.max(nodes, 1); n++)
    servers.push(await startServer('carrel', { BENCH_SLOTS: String(CONCURRENCY), ...shared }));
  const names = Array.from({ length: users }, (_, i) => `user-${i}`);
  const tokens = await servers[0].tokens(names);
  const waiting = names.map(() => []);
  const startedAt = new Map();
  const sockets = [];
  // a user's socket is at the node after the one that the user asks
  for (const [place, server] of servers.entries()) {
    const own = names.map((_, i) => i).filter((i) => (i + 1) % servers.length === place);
    const heard = (j, type) => {
      if (type === 'agent_started') startedAt.get(own[j])?.();
      if (type === 'agent_completed') waiting[own[j]].shift()?.();
    };
    const auths = own.map((i) => ({ token: tokens[i] }));
    sockets.push(...(await connectAll(server.url, auths, heard)));
  }
  const posts = servers.map(({ url }) => poster(url));
  let next = 0;
  const run = async (user) => {
    const ended = new Promise((resolve) => waiting[user].push(resolve));
    await posts[user % posts.length](body, tokens[user]);
    await ended;
  };
  const sumOf = async (what) => (await Promise.all(servers.map(what))).reduce((sum, one) => sum + one, 0);
  const soFar = async () => ({
    cpuUs: await sumOf((server) => server.cpuUs()),
    statements: await sumOf(async (server) => (await server.ask('statements')).statements),
    ...(database && (await spentOn(database))),
  });

  /** What each of so many runs takes. */
  async function measured(runs, work) {
    const before = await soFar();
    const own = process.cpuUsage();
    const began = performance.now();
    await work();
    const seconds = (performance.now() - began) / 1000;
    const { user, system } = process.cpuUsage(own);
    const after = await soFar();
    const perRun = Object.fromEntries(Object.entries(after).map(([fact, sum]) => [fact, (sum - before[fact]) / runs]));
    return { perSecond: runs / seconds, ...perRun, clientsUs: (user + system) / runs };
  }

  return {
    /** @param among so many of the users */
    round: (runs, among = users) => measured(runs, () => inParallel(runs, CONCURRENCY, () => run(next++ % among))),
    /** The same runs, begun and heard of in the nodes themselves, without HTTP and sockets. */
    inside: (runs) => {
      const share = { runs: Math.ceil(runs / servers.length), concurrency: Math.ceil(CONCURRENCY / servers.length) };
      return measured(runs, () => Promise.all(servers.map((server) => server.send(share))));
    },
    /** Milliseconds from the POST to `agent_started` at the user's socket, at this rate. */
    async latency(perSecond, seconds = 5) {
      const took = [];
      const all = [];
      const began = performance.now();
      for (let n = 0; n < perSecond * seconds; n++) {
        const wait = began + (n * 1000) / perSecond - performance.now();
        if (wait > 1) await new Promise((resolve) => setTimeout(resolve, wait));
        const user = next++ % users;
        if (startedAt.has(user)) continue; // one at a time of each user is watched
        const from = performance.now();
        const heard = new Promise((resolve) => startedAt.set(user, resolve)).then(() => {
          took.push(performance.now() - from);
          startedAt.delete(user);
        });
        all.push(run(user), heard);
      }
      await Promise.all(all);
      const sorted = took.toSorted((a, b) => a - b);
      return { p50: sorted[Math.floor(sorted.length / 2)], p99: sorted[Math.floor(sorted.length * 0.99)] };
    },
    async stop() {
      for (const socket of sockets) socket.disconnect();
      for (const server of servers) await server.stop();
    },
  };
}
