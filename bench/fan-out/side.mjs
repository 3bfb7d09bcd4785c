/**
 * One server with all its clients, in a process of its own, so that no process needs more than ten thousand open files:
 * `side.mjs <variant>`. It does what it is told to by the scenario: open, saturate, pace, close.
 */
import { closeAll, connectMany, connectSocketIo, connectWebSocket } from '../clients/socket.mjs';
import { median, startServer } from '../lib.mjs';
import { quantile } from '../suite/figures.mjs';

/** What a user is sent at once, by a run in Carrel's case. */
const EVENTS = 50;
/** How many users at most are sent something at a time, and to how many a message tells the server to. */
const [IN_FLIGHT, TOLD_AT_ONCE] = [200, 20];

const VARIANTS = {
  ws: { server: 'ws', connect: connectWebSocket },
  socketio: { server: 'socketio', connect: connectSocketIo, isOneByOne: true },
  socketioAtOnce: { server: 'socketio', connect: connectSocketIo },
  carrel: { server: 'carrel', connect: connectSocketIo, env: { BENCH_SLOTS: '256' } },
};
const { server: name, connect, env, isOneByOne } = VARIANTS[process.argv[2]];
const server = await startServer(name, env);

/** What is connected just now. */
let crowd;

async function open({ users, socketsPerUser, slowShare }) {
  const names = Array.from({ length: users }, (_, i) => `user-${i}`);
  const tokens = name === 'carrel' ? await server.tokens(names) : names;
  const auths = tokens.flatMap((token) => Array.from({ length: socketsPerUser }, () => ({ token })));
  const isSlow = (user) => user % 10 < slowShare * 10;
  crowd = { users, socketsPerUser, isSlow, next: 0 };
  crowd.clients = await connectMany(connect, server.url, auths, (i, _type, data) => {
    if (!isSlow(Math.floor(i / socketsPerUser))) crowd.onEvent(data);
  });
}

/** The next users in turn are sent something; returns how many events will arrive, at those who read. */
function tell(count) {
  const { users, isSlow, socketsPerUser } = crowd;
  const told = Array.from({ length: count }, () => crowd.next++ % users);
  server.tell({ burst: { users: told, events: EVENTS, isOneByOne } });
  return told.filter((user) => !isSlow(user)).length * EVENTS * socketsPerUser;
}

/** Whoever is slow does not read at all while others are measured. */
function holdSlow(isHeld) {
  const { clients, isSlow, socketsPerUser } = crowd;
  for (const [i, { socket }] of clients.entries()) {
    if (!isSlow(Math.floor(i / socketsPerUser)) || socket.readyState !== socket.OPEN) continue;
    if (isHeld) socket.pause();
    else socket.resume();
  }
}

/** As many events as can be delivered, until the time is over and all have arrived. */
async function saturate(ms) {
  holdSlow(true);
  const { promise, resolve } = Promise.withResolvers();
  const began = performance.now();
  const cpu = await server.cpuUs();
  const enough = (Math.min(IN_FLIGHT, crowd.users) - TOLD_AT_ONCE) * EVENTS * crowd.socketsPerUser;
  let [awaited, delivered, bytes] = [0, 0, 0];
  const fill = () => {
    while (awaited <= enough) awaited += tell(TOLD_AT_ONCE);
  };
  crowd.onEvent = (data) => {
    delivered += 1;
    bytes += data.length;
    awaited -= 1;
    if (performance.now() - began < ms) fill();
    else if (awaited === 0) resolve();
  };
  fill();
  await promise;
  const seconds = (performance.now() - began) / 1000;
  const cpuUs = ((await server.cpuUs()) - cpu) / delivered;
  holdSlow(false);
  return { eventsPerSecond: delivered / seconds, cpuUs, bytes: bytes / delivered };
}

/** The same load for everybody: how long an event takes from when it was made to its reader. */
async function pace({ ms, perSecond }) {
  const { promise, resolve } = Promise.withResolvers();
  const tookMs = [];
  const bursts = Math.ceil((ms / 1000) * (perSecond / EVENTS));
  let awaited = bursts * EVENTS;
  crowd.onEvent = (data) => {
    const at = data.indexOf('"at":"') + '"at":"'.length;
    tookMs.push(Date.now() - Date.parse(data.toString('latin1', at, at + 24)));
    if (--awaited === 0) resolve();
  };
  const began = performance.now();
  let told = 0;
  const timer = setInterval(() => {
    const due = Math.min(bursts, Math.ceil(((performance.now() - began) / ms) * bursts));
    if (due > told) tell(due - told);
    told = due;
    if (told === bursts) clearInterval(timer);
  }, 5);
  await promise;
  return { p50: median(tookMs), p99: quantile(tookMs, 0.99) };
}

const DO = {
  open,
  saturate,
  pace,
  close: () => closeAll(crowd.clients),
  stop: () => server.stop(),
};

process.on('disconnect', () => process.exit(0));
process.on('message', async ([what, given]) => {
  process.send((await DO[what](given)) ?? {});
  if (what === 'stop') process.exit(0);
});
process.send('ready');
