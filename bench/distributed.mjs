/**
 * Runs on 1, 2 and 3 nodes that share PostgreSQL and Redis, beside the embedded profile, BullMQ carrying jobs that do nothing
 * and DBOS Transact doing one step. A run is started over HTTP at one node, and its user's socket is at the next one; it counts
 * when that socket has heard of its end. Run after `npm run build`:
 * `node bench/distributed.mjs [--rounds N] [--runs N] [--nodes 1,2,3] [--users 100]`. Needs PostgreSQL and Redis:
 * BENCH_DATABASE_URL (its user may make databases) and BENCH_REDIS_URL, or those that run at their usual places here.
 */
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { connectAll, heading, inParallel, median, poster, startServer } from './lib.mjs';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    runs: { type: 'string', default: '2000' },
    users: { type: 'string', default: '100' },
    nodes: { type: 'string', default: '1,2,3' },
    only: { type: 'string', default: 'embedded,nodes,bullmq,dbos' },
  },
});
const [ROUNDS, RUNS, USERS] = [values.rounds, values.runs, values.users].map(Number);
const CONCURRENCY = 100;
const DATABASE = process.env.BENCH_DATABASE_URL ?? 'postgresql://postgres@127.0.0.1:5432/postgres';
const REDIS = process.env.BENCH_REDIS_URL ?? 'redis://127.0.0.1:6379';
const { Client } = createRequire(new URL('../dist/index.js', import.meta.url))('pg');
const body = { agent: 'thinker', input: { text: 'a short text about the sea' } };
const only = values.only.split(',');
const made = [];

async function admin(sql) {
  const client = new Client(DATABASE);
  await client.connect();
  await client.query(sql);
  await client.end();
}

async function newDatabase() {
  const name = `carrel_bench_${process.pid}_${made.length}`;
  await admin(`CREATE DATABASE ${name}`);
  made.push(name);
  const url = new URL(DATABASE);
  url.pathname = `/${name}`;
  return url.href;
}

/** Carrel, on this many nodes (0: embedded). */
async function carrel(nodes) {
  const shared =
    nodes === 0
      ? {}
      : {
          BENCH_DATABASE_URL: await newDatabase(),
          BENCH_REDIS_URL: REDIS,
          BENCH_REDIS_PREFIX: `bench-${process.pid}-${nodes}`,
        };
  const servers = [];
  for (let n = 0; n < Math.max(nodes, 1); n++)
    servers.push(await startServer('carrel', { BENCH_SLOTS: '64', ...shared }));
  const names = Array.from({ length: USERS }, (_, i) => `user-${i}`);
  const tokens = await servers[0].tokens(names);
  const waiting = names.map(() => []);
  const startedAt = new Map();
  const sockets = [];
  for (const [place, server] of servers.entries()) {
    const own = names.map((_, i) => i).filter((i) => (i + 1) % servers.length === place);
    const auths = own.map((i) => ({ token: tokens[i] }));
    const heard = (j, type) => {
      const user = own[j];
      if (type === 'agent_started') startedAt.get(user)?.();
      if (type === 'agent_completed') waiting[user].shift()?.();
    };
    sockets.push(...(await connectAll(server.url, auths, heard)));
  }
  const posts = servers.map(({ url }) => poster(url));
  let next = 0;
  const run = async () => {
    const user = next++ % USERS;
    const ended = new Promise((resolve) => waiting[user].push(resolve));
    await posts[user % posts.length](body, tokens[user]);
    await ended;
  };
  const sumOf = async (what) => (await Promise.all(servers.map(what))).reduce((sum, one) => sum + one, 0);
  const cpu = () => sumOf((server) => server.cpuUs());
  const statements = () => sumOf(async (server) => (await server.ask('statements')).statements);
  return {
    async round(runs) {
      const before = { cpu: await cpu(), statements: await statements() };
      const began = performance.now();
      await inParallel(runs, CONCURRENCY, run);
      const seconds = (performance.now() - began) / 1000;
      return {
        perSecond: runs / seconds,
        cpuUs: ((await cpu()) - before.cpu) / runs,
        statements: ((await statements()) - before.statements) / runs,
      };
    },
    /** Milliseconds from the POST to `agent_started` at the user's socket, at this rate. */
    async latency(perSecond, seconds = 5) {
      const took = [];
      const pauseMs = 1000 / perSecond;
      const total = Math.min(Math.floor(perSecond * seconds), USERS * 1000);
      const began = performance.now();
      const all = [];
      for (let n = 0; n < total; n++) {
        const dueAt = began + n * pauseMs;
        const wait = dueAt - performance.now();
        if (wait > 1) await new Promise((resolve) => setTimeout(resolve, wait));
        const user = next++ % USERS;
        if (startedAt.has(user)) continue; // one at a time of each user is watched
        const from = performance.now();
        const started = new Promise((resolve) => startedAt.set(user, resolve)).then(() => {
          took.push(performance.now() - from);
          startedAt.delete(user);
        });
        const ended = new Promise((resolve) => waiting[user].push(resolve));
        all.push(posts[user % posts.length](body, tokens[user]), started, ended);
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

/** A peer that carries out runs by itself. */
async function peer(name, env) {
  const server = await startServer(name, env);
  return {
    async round(runs) {
      const before = await server.cpuUs();
      const began = performance.now();
      await server.send({ runs, concurrency: CONCURRENCY });
      const seconds = (performance.now() - began) / 1000;
      return { perSecond: runs / seconds, cpuUs: ((await server.cpuUs()) - before) / runs };
    },
    stop: () => server.stop(),
  };
}

const variants = {};
if (only.includes('embedded')) variants['Carrel, embedded'] = await carrel(0);
if (only.includes('nodes')) {
  for (const n of values.nodes.split(',').map(Number))
    variants[`Carrel, ${n} node${n > 1 ? 's' : ''}`] = await carrel(n);
}
if (only.includes('bullmq'))
  variants['BullMQ, jobs that do nothing'] = await peer('bullmq', { BENCH_REDIS_URL: REDIS });
if (only.includes('dbos'))
  variants['DBOS Transact, one step'] = await peer('dbos', { BENCH_DATABASE_URL: await newDatabase() });

const results = Object.fromEntries(Object.keys(variants).map((name) => [name, []]));
for (let round = 0; round <= ROUNDS; round++) {
  for (const [name, variant] of Object.entries(variants)) {
    const result = await variant.round(name.startsWith('DBOS') ? Math.ceil(RUNS / 4) : RUNS);
    if (round > 0) results[name].push(result);
  }
}
console.log(heading());
console.log(
  `${RUNS} runs a round, ${ROUNDS} rounds, ${USERS} users, ${CONCURRENCY} at a time; medians (least to most)`,
);
const of = (name, fact) => results[name].map((result) => result[fact]);
const span = (list, digits = 0) =>
  `${median(list).toFixed(digits)} (${Math.min(...list).toFixed(digits)}–${Math.max(...list).toFixed(digits)})`;
for (const [name, variant] of Object.entries(variants)) {
  const rate = median(of(name, 'perSecond'));
  const latency = await variant.latency?.(rate / 2);
  const parts = [`${span(of(name, 'perSecond'))} runs/s`, `CPU ${span(of(name, 'cpuUs'))} µs a run`];
  if (name.includes('node')) parts.push(`${span(of(name, 'statements'), 2)} statements a run`);
  if (latency)
    parts.push(`accept to start at half load p50 ${latency.p50.toFixed(1)} ms, p99 ${latency.p99.toFixed(1)} ms`);
  console.log(`${name.padEnd(30)} ${parts.join('   ')}`);
}
const compare = (name, other, fact) => {
  if (!results[name] || !results[other]) return;
  const ratios = of(name, fact).map((value, round) => value / results[other][round][fact]);
  console.log(`${name}: ${span(ratios, 2)} × ${other}, ${fact === 'cpuUs' ? 'CPU per run' : 'runs/s'}`);
};
for (const n of values.nodes.split(',')) {
  const name = `Carrel, ${n} node${n > 1 ? 's' : ''}`;
  compare(name, 'Carrel, embedded', 'cpuUs');
  compare(name, 'DBOS Transact, one step', 'perSecond');
  compare(name, 'BullMQ, jobs that do nothing', 'perSecond');
}
for (const variant of Object.values(variants)) await variant.stop();
for (const name of made) await admin(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
process.exit(0);
