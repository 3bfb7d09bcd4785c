/**
 * One user's run from door to door, beside what it can't do without: a bare Fastify POST and bare Socket.IO delivering
 * as many events of the same size. Every variant is a process of its own and reports its own processor time; rounds of
 * the variants alternate. Run after `npm run build`: `node bench/foundation.mjs [--rounds N] [--runs N]`.
 */
import { parseArgs } from 'node:util';
import { connectAll, heading, inParallel, median, poster, startServer } from './lib.mjs';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    runs: { type: 'string', default: '3000' },
    users: { type: 'string', default: '100' },
    many: { type: 'string', default: '10000' },
    only: { type: 'string', default: 'door,users,memory' },
  },
});
const ROUNDS = Number(values.rounds);
const RUNS = Number(values.runs);
const USERS = Number(values.users);
const MANY = Number(values.many);
const CONCURRENCY = 100;
const EVENTS_PER_RUN = 5;
const names = (n) => Array.from({ length: n }, (_, i) => `user-${i}`);
const body = { agent: 'thinker', input: { text: 'a short text about the sea' } };

/** Five envelopes like Carrel's. */
const like = (type, data) => ({
  v: 1,
  id: `evt_${'0'.repeat(26)}`,
  type,
  seq: 0,
  runSeq: 1,
  runId: `run_${'0'.repeat(26)}`,
  threadId: `thr_${'0'.repeat(26)}`,
  agent: 'thinker',
  attempt: 1,
  at: new Date().toISOString(),
  data,
});
const bareEvents = [
  like('agent_started', { status: 'started', isolated: true, agent: 'thinker', input: body.input }),
  ...[1, 2, 3].map((step) =>
    like('agent_thinking', { thought: 'thinking about a short text about the sea', step, progress: 0.5 }),
  ),
  like('agent_completed', { status: 'completed', result: { text: body.input.text, words: 3 }, durationMs: 2 }),
];

async function measured(server, work) {
  const before = await server.cpuUs();
  const startedAt = performance.now();
  await work();
  const seconds = (performance.now() - startedAt) / 1000;
  return { perSecond: RUNS / seconds, cpuUs: ((await server.cpuUs()) - before) / RUNS };
}

async function fastifyVariant() {
  const server = await startServer('fastify');
  const post = poster(server.url);
  return { stop: server.stop, round: () => measured(server, () => inParallel(RUNS, CONCURRENCY, () => post(body))) };
}

/** Counts events per user and wakes whoever waits for a run's last one. */
function deliveries(users) {
  const waiting = Array.from({ length: users }, () => []);
  const seen = new Array(users).fill(0);
  return {
    onEvent(user, type) {
      seen[user]++;
      if (type === 'agent_completed') waiting[user].shift()?.();
    },
    ended: (user) => new Promise((resolve) => waiting[user].push(resolve)),
    get total() {
      return seen.reduce((sum, n) => sum + n, 0);
    },
  };
}

async function socketVariant() {
  const server = await startServer('socketio');
  const heard = deliveries(USERS);
  const sockets = await connectAll(
    server.url,
    names(USERS).map((user) => ({ user })),
    heard.onEvent,
  );
  const run = (i) => {
    const ended = heard.ended(i % USERS);
    sockets[i % USERS].emit('go', bareEvents);
    return ended;
  };
  return {
    stop: () => stopAll(sockets, server),
    round: () => measured(server, () => inParallel(RUNS, CONCURRENCY, run)),
  };
}

async function carrelVariant(door, users = USERS, env = {}) {
  const server = await startServer('carrel', { BENCH_SLOTS: '256', ...env });
  const tokens = await server.tokens(names(users));
  const heard = deliveries(users);
  const idle = await server.heap();
  const sockets = await connectAll(
    server.url,
    tokens.map((token) => ({ token })),
    heard.onEvent,
  );
  const connected = await server.heap();
  const post = poster(server.url);
  let next = 0; // every round goes on with the user after the last one
  const run = async () => {
    const user = next++ % users;
    const ended = heard.ended(user);
    if (door === 'http') await post(body, tokens[user]);
    else await started(sockets[user]);
    await ended;
  };
  return {
    heapPerUser: (connected.bytes - idle.bytes) / users,
    /** A user's first run is the dearest: the user, a lane and a day's figures get their rows. */
    warmUp: (runs) => inParallel(runs, CONCURRENCY, run),
    stop: () => stopAll(sockets, server),
    round: () => measured(server, () => inParallel(RUNS, CONCURRENCY, run)),
  };
}

async function started(socket) {
  const ack = await socket.emitWithAck('run:start', body);
  if (!ack.ok) throw new Error(JSON.stringify(ack));
}

async function stopAll(sockets, server) {
  for (const socket of sockets) socket.disconnect();
  await server.stop();
}

/** Alternating rounds of all variants; the first round warms up and does not count. */
async function compare(variants) {
  const results = Object.fromEntries(Object.keys(variants).map((name) => [name, []]));
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [name, variant] of Object.entries(variants)) {
      const result = await variant.round();
      if (round > 0) results[name].push(result);
    }
  }
  return Object.fromEntries(
    Object.entries(results).map(([name, list]) => [
      name,
      {
        perSecond: median(list.map((r) => r.perSecond)),
        cpuUs: median(list.map((r) => r.cpuUs)),
        min: Math.min(...list.map((r) => r.cpuUs)),
        max: Math.max(...list.map((r) => r.cpuUs)),
      },
    ]),
  );
}

const show = (name, r) =>
  console.log(
    `${name.padEnd(44)} ${r.perSecond.toFixed(0).padStart(7)}/s   CPU ${r.cpuUs.toFixed(0).padStart(5)} µs (${r.min.toFixed(0)}–${r.max.toFixed(0)})`,
  );

async function doorToDoor() {
  const variants = {
    'bare Fastify POST': await fastifyVariant(),
    [`bare Socket.IO, ${EVENTS_PER_RUN} events`]: await socketVariant(),
    'Carrel over HTTP, journalled, delivered': await carrelVariant('http'),
    'Carrel over the socket': await carrelVariant('socket'),
  };
  const results = await compare(variants);
  for (const variant of Object.values(variants)) await variant.stop();
  console.log(`\nDoor to door: ${RUNS} runs a round, ${ROUNDS} rounds, ${USERS} users, ${CONCURRENCY} at a time`);
  for (const [name, result] of Object.entries(results)) show(name, result);
  const [post, emit, http, socket] = Object.values(results);
  console.log(
    `CPU per run over HTTP: ${(http.cpuUs / (post.cpuUs + emit.cpuUs)).toFixed(2)} × (one bare POST + the bare deliveries)`,
  );
  console.log(`CPU per run over the socket: ${(socket.cpuUs / emit.cpuUs).toFixed(2)} × the bare deliveries`);
}

async function manyUsers() {
  const few = await carrelVariant('http', 10, { BENCH_MAX_RUNNING: '100' });
  const many = await carrelVariant('http', MANY, { BENCH_MAX_RUNNING: '100' });
  for (const variant of [few, many]) await variant.warmUp(MANY); // so that everybody has been there, with either
  const results = await compare({ '10 users connected': few, [`${MANY} users connected`]: many });
  console.log(`\nThe same rate with many users`);
  for (const [name, result] of Object.entries(results)) show(name, result);
  const [a, b] = Object.values(results);
  console.log(`rate with ${MANY}: ${(b.perSecond / a.perSecond).toFixed(2)} × the rate with 10`);
  console.log(`heap per connected idle user: ${(many.heapPerUser / 1024).toFixed(1)} KiB`);
  await few.stop();
  await many.stop();
}

async function memory() {
  const server = await startServer('carrel', { BENCH_SLOTS: '2000', BENCH_MAX_RUNNING: '2000' });
  const [token] = await server.tokens(['user-0']);
  const post = poster(server.url);
  const start = (n, ms) => inParallel(n, 50, () => post({ agent: 'waiter', input: { ms } }, token));
  await start(1000, 0); // warm
  await new Promise((resolve) => setTimeout(resolve, 500));
  const before = await server.heap();
  await start(1000, 300_000);
  const during = await server.heap();
  console.log(
    `\nheap per run in flight: ${((during.bytes - before.bytes) / 1000 / 1024).toFixed(1)} KiB (${during.liveContexts} live contexts)`,
  );
  await server.stop();
}

console.log(heading());
const only = values.only.split(',');
if (only.includes('door')) await doorToDoor();
if (only.includes('users')) await manyUsers();
if (only.includes('memory')) await memory();
process.exit(0);
