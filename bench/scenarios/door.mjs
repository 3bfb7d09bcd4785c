/**
 * From door to door: a user starts a run over HTTP or over the socket, six events come to the user's socket, the last one with the
 * result. Beside servers that only emit as many bytes, and beside the same doors with the run done by others, which keep nothing.
 */
import { closeAll, connectMany, connectSocketIo, connectWebSocket } from '../clients/socket.mjs';
import { posterOf } from '../clients/post.mjs';
import { inParallel, startServer } from '../lib.mjs';
import { aim, alternate, figureAim, quantile, ratioAim, roundsOf } from '../suite/figures.mjs';

export const title = 'Door to door: a run started over the network, six events and the result at the user’s socket';

const USERS = 100;
const EVENTS = 6;
const FEW = 8;
const BODY = JSON.stringify({ agent: 'thinker', input: { text: 'a short text about the sea', thoughts: EVENTS - 2 } });
const users = Array.from({ length: USERS }, (_, i) => `user-${i}`);
const PEERS = {
  mastra: 'Mastra workflow',
  'openai-agents': '@openai/agents',
  langgraph: 'LangGraph.js',
  'ai-sdk': 'AI SDK ToolLoopAgent',
};
const WS = 'ws, only emitting';
const SOCKET_IO = 'Socket.IO, only emitting, event by event';
const SOCKET_IO_AT_ONCE = 'Socket.IO, only emitting, ten runs at once';
const POST = 'Fastify, only a POST';
const [HTTP, SOCKET] = ['over HTTP', 'over the socket'];
const labelOf = (name, door) => `${name}, ${door}`;

const COLUMNS = {
  eventsPerSecond: { label: 'delivered events/s', digits: 0 },
  perSecond: { label: 'runs/s', digits: 0 },
  cpuUs: { label: 'server CPU µs per run', digits: 0 },
  p50: { label: 'p50 ms', digits: 1 },
  p99: { label: 'p99 ms', digits: 1 },
};

/** Works for so long, and says what came of it: what it returns are the durations of runs. */
async function measured(server, heard, work) {
  const [cpu, events, began] = [await server.cpuUs(), heard.events, performance.now()];
  const tookMs = await work();
  const seconds = (performance.now() - began) / 1000;
  const delivered = heard.events - events;
  const runs = delivered / EVENTS;
  if (tookMs.length > 0 && tookMs.length !== runs) throw new Error(`${delivered} events of ${tookMs.length} runs`);
  return {
    eventsPerSecond: delivered / seconds,
    perSecond: runs / seconds,
    cpuUs: ((await server.cpuUs()) - cpu) / runs,
    ...(tookMs.length > 0 && { p50: quantile(tookMs, 0.5), p99: quantile(tookMs, 0.99) }),
  };
}

/**
 * Emits to all users, and goes on when all of it has arrived: to each the events of ten runs at once, or, `isOneByOne`, those of one
 * run, each in a tick of its own, as they come where a run does something between them.
 */
async function emitter(label, name, connect, isOneByOne = false) {
  const server = await startServer(name);
  const heard = { events: 0, wanted: 0, onAll: undefined };
  const onEvent = () => ++heard.events === heard.wanted && heard.onAll();
  const auths = users.map((token) => ({ token }));
  const clients = await connectMany(connect, server.url, auths, onEvent);
  const all = Array.from({ length: (isOneByOne ? 1 : 10) * USERS }, (_, i) => i % USERS);
  const emitAll = () =>
    new Promise((resolve) => {
      Object.assign(heard, { wanted: heard.events + all.length * EVENTS, onAll: resolve });
      server.tell({ burst: { users: all, events: EVENTS, isOneByOne } });
    });
  const round = (_concurrency, ms) =>
    measured(server, heard, async () => {
      const until = performance.now() + ms;
      while (performance.now() < until) await emitAll();
      return [];
    });
  const stop = () => closeAndStop(clients, [], server);
  return [{ label, round, stop }];
}

/** Answers as briefly as it can, and does nothing. */
async function poster() {
  const server = await startServer('fastify');
  const posters = users.map((user) => posterOf(server.url, user));
  const round = async (concurrency, ms) => {
    const [cpu, began] = [await server.cpuUs(), performance.now()];
    let posts = 0;
    await inParallel(concurrency, concurrency, async (user) => {
      for (; performance.now() - began < ms; posts++) await posters[user].start(BODY);
    });
    const seconds = (performance.now() - began) / 1000;
    return { perSecond: posts / seconds, cpuUs: ((await server.cpuUs()) - cpu) / posts };
  };
  const stop = () => closeAndStop([], posters, server);
  return [{ label: POST, round, stop }];
}

/** A server with both doors; every user has one run at a time. */
async function doors(name, server, tokens) {
  const heard = { events: 0 };
  const ends = new Map();
  const onEvent = (user, type) => {
    heard.events++;
    if (type === 'agent_completed') ends.get(user)();
  };
  const auths = tokens.map((token) => ({ token }));
  const clients = await connectMany(connectSocketIo, server.url, auths, onEvent);
  const posters = tokens.map((token) => posterOf(server.url, token));
  const roundOf = (starters) => (concurrency, ms) =>
    measured(server, heard, async () => {
      const tookMs = [];
      const until = performance.now() + ms;
      await inParallel(concurrency, concurrency, async (user) => {
        while (performance.now() < until) {
          const began = performance.now();
          const ended = new Promise((resolve) => ends.set(user, resolve));
          await Promise.all([starters[user].start(BODY), ended]);
          tookMs.push(performance.now() - began);
        }
      });
      return tookMs;
    });
  const stop = () => closeAndStop(clients, posters, server);
  return [
    { label: labelOf(name, SOCKET), round: roundOf(clients), stop },
    { label: labelOf(name, HTTP), round: roundOf(posters), stop: async () => undefined },
  ];
}

async function closeAndStop(clients, posters, server) {
  closeAll(clients);
  for (const poster of posters) poster.close();
  await server.stop();
}

async function carrel() {
  const server = await startServer('carrel', { BENCH_SLOTS: '256' });
  return doors('Carrel', server, await server.tokens(users));
}

async function peer([module, name]) {
  return doors(name, await startServer('peer', { BENCH_PEER: module }), users);
}

function ratiosOf(concurrency) {
  const column = 'eventsPerSecond';
  const own = [SOCKET, HTTP].map((door) => [door, labelOf('Carrel', door)]);
  const bare = own.flatMap(([, of]) => [SOCKET_IO, SOCKET_IO_AT_ONCE, WS].map((to) => ({ of, to, column })));
  const peers = own.flatMap(([door, of]) =>
    Object.values(PEERS).map((name) => ({ of, to: labelOf(name, door), column: 'perSecond' })),
  );
  return concurrency === USERS ? [...bare, ...peers] : peers;
}

function aimsOf([full, few]) {
  const beside = (of, to, atLeast, column = 'perSecond') =>
    ratioAim(`${of}, beside ${to}, ${COLUMNS[column].label}`, full, { of, to, column }, { atLeast });
  const [socket, http] = [SOCKET, HTTP].map((door) => labelOf('Carrel', door));
  const quick = (of) =>
    figureAim(`${of}, ${FEW} at a time, p99`, few, { of, column: 'p99' }, { atMost: 10, unit: ' ms' });
  return [
    beside(socket, SOCKET_IO, 1, 'eventsPerSecond'),
    beside(http, SOCKET_IO, 0.65, 'eventsPerSecond'),
    beside(http, labelOf(PEERS.mastra, HTTP), 3),
    beside(http, labelOf(PEERS['openai-agents'], HTTP), 2.5),
    beside(http, labelOf(PEERS.langgraph, HTTP), 8),
    ...[socket, http].map(quick),
    barestAim(full, http),
  ];
}

/** What can't be done without: to take a request, and to emit as many bytes. */
function barestAim(table, http) {
  const [own, post, emit] = [http, POST, SOCKET_IO].map((label) => roundsOf(table, label, 'cpuUs'));
  const times = own.map((cpuUs, round) => cpuUs / (post[round] + emit[round]));
  return aim(`${http}, CPU beside ${POST}, and ${SOCKET_IO}`, times, { atMost: 1.5, unit: ' ×' });
}

export async function run({ isQuick, log }) {
  const [rounds, ms, warmMs] = isQuick ? [2, 150, 150] : [5, 1000, 2000];
  const emitters = [
    ...(await emitter(WS, 'ws', connectWebSocket)),
    ...(await emitter(SOCKET_IO, 'socketio', connectSocketIo, true)),
    ...(await emitter(SOCKET_IO_AT_ONCE, 'socketio', connectSocketIo)),
    ...(await poster()),
  ];
  const runners = [...(await carrel()), ...(await Promise.all(Object.entries(PEERS).map(peer))).flat()];
  const tables = [];
  for (const [concurrency, variants] of [
    [USERS, [...emitters, ...runners]],
    [FEW, runners],
  ]) {
    log(`${concurrency} at a time`);
    for (const variant of variants) await variant.round(concurrency, warmMs);
    const rows = await alternate(variants, rounds, (variant) => variant.round(concurrency, ms));
    tables.push({ title: `${concurrency} at a time`, columns: COLUMNS, rows, ratios: ratiosOf(concurrency) });
  }
  for (const { stop } of [...emitters, ...runners]) await stop();
  return { tables, aims: aimsOf(tables) };
}
