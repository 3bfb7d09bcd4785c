/** What is kept in memory for a user, for a run under way, for one that is suspended; and whether anything is left of half a million runs. */
import { connectAll, inParallel, poster, startServer } from '../lib.mjs';
import { figureAim, ratioAim } from '../suite/figures.mjs';

export const title = 'Memory: heap after everything that is garbage was collected';

const KIB = 1024;
const CONNECTED = 'a connected user who does nothing';
const KNOWN = 'a known user who is not there, of 10,000';
const MANY = 'the same, of 100,000';
const IN_FLIGHT = 'a run in flight';
const SUSPENDED = 'a suspended run';

const names = (from, to) => Array.from({ length: to - from }, (_, i) => `user-${from + i}`);
const settled = () => new Promise((resolve) => setTimeout(resolve, 500));
const heapOf = async (server) => (await server.heap()).bytes;

async function connectedUser(count) {
  const server = await startServer('carrel');
  const tokens = await server.tokens(names(0, count + 200));
  const connect = (some) =>
    connectAll(
      server.url,
      some.map((token) => ({ token })),
      () => undefined,
    );
  await connect(tokens.slice(0, 200)); // so that what everybody shares is there
  const before = await heapOf(server);
  await connect(tokens.slice(200));
  const after = await heapOf(server);
  await server.stop();
  return (after - before) / count / KIB;
}

async function runInFlight(count) {
  const server = await startServer('carrel', { BENCH_SLOTS: String(2 * count), BENCH_MAX_RUNNING: String(2 * count) });
  const [token] = await server.tokens(['user-0']);
  const post = poster(server.url);
  const start = (n, ms) => inParallel(n, 50, () => post({ agent: 'waiter', input: { ms } }, token));
  await start(count, 0);
  await settled();
  const before = await heapOf(server);
  await start(count, 300_000);
  const after = await heapOf(server);
  await server.stop();
  return (after - before) / count / KIB;
}

/** What is left of a run that sleeps, and what of users who have had a run. */
async function suspendedRun(count) {
  const server = await startServer('inside', { BENCH_SYNC: 'normal' });
  const users = names(0, 100);
  const sleep = (n) => server.send({ work: 'waiting', agent: 'sleeper', users, count: n });
  await sleep(1_000);
  await asleep(server);
  const before = await heapOf(server);
  await sleep(count);
  await asleep(server);
  const after = await server.heap();
  await server.stop();
  return { kib: (after.bytes - before) / count / KIB, scopes: after.liveContexts };
}

async function asleep(server) {
  while ((await server.heap()).active > 0) await settled();
  await settled();
}

async function knownUsers(few, many) {
  const server = await startServer('inside', { BENCH_SYNC: 'normal' });
  const runs = (from, to) => server.send({ work: 'runs', users: names(from, to), count: to - from, at: 128 });
  const forgotten = async () => {
    await server.send({ work: 'forget' });
    await settled();
    return heapOf(server);
  };
  await runs(0, 2_000);
  const before = await forgotten();
  await runs(2_000, 2_000 + few);
  const after = await forgotten();
  let last = after;
  for (let from = 2_000 + few; from < 2_000 + many; from += few) {
    await runs(from, from + few);
    last = await forgotten();
  }
  await server.stop();
  return { few: (after - before) / few / KIB, many: (last - before) / many / KIB };
}

/** The heap in MiB after each tenth of so many runs. */
async function soak(runs) {
  const server = await startServer('inside', { BENCH_SYNC: 'normal' });
  const users = names(0, 1_000);
  const heaps = [];
  for (let tenth = 0; tenth < 10; tenth++) {
    await server.send({ work: 'runs', users, count: runs / 10, at: 128 });
    await server.send({ work: 'forget' });
    await settled();
    heaps.push((await heapOf(server)) / KIB / KIB);
  }
  await server.stop();
  return heaps;
}

export async function run({ isQuick, log }) {
  const [rounds, connected, inFlight, few, many, soaked] = isQuick
    ? [1, 500, 500, 1_000, 5_000, 20_000]
    : [3, 5_000, 1_000, 10_000, 100_000, 500_000];
  const facts = { [CONNECTED]: [], [IN_FLIGHT]: [], [SUSPENDED]: [] };
  for (let round = 0; round < rounds; round++) {
    log(`users and runs, round ${round + 1}`);
    facts[CONNECTED].push({ kib: await connectedUser(connected) });
    facts[IN_FLIGHT].push({ kib: await runInFlight(inFlight) });
    facts[SUSPENDED].push(await suspendedRun(isQuick ? 1_000 : 10_000));
  }
  log('known users');
  const known = await knownUsers(few, many);
  facts[KNOWN] = [{ kib: known.few }];
  facts[MANY] = [{ kib: known.many }];
  log(`${soaked} runs`);
  const heaps = await soak(soaked);
  const each = {
    title: 'For each',
    note: 'A suspended run leaves nothing of its own: no engine, no scope, no timer. What its lane counts of it is of its user.',
    columns: { kib: { label: 'KiB', digits: 2 }, scopes: { label: 'open scopes', digits: 0 } },
    rows: Object.entries(facts).map(([label, list]) => ({ label, rounds: list })),
  };
  const label = (i) => `after ${((soaked / 10) * (i + 1)).toLocaleString('en')} runs`;
  const long = {
    title: `${soaked.toLocaleString('en')} runs, one process`,
    columns: { mib: { label: 'heap, MiB', digits: 1 } },
    rows: heaps.map((mib, i) => ({ label: label(i), rounds: [{ mib }] })),
    ratios: [{ of: label(9), to: label(0), column: 'mib' }],
  };
  const atMost = (of, most) => figureAim(of, each, { of, column: 'kib' }, { atMost: most, unit: ' KiB' });
  const aims = [atMost(CONNECTED, 30), atMost(IN_FLIGHT, 8), atMost(SUSPENDED, 0.5)];
  aims.push(ratioAim('heap at the end beside that after the first tenth', long, long.ratios[0], { atMost: 1.02 }));
  return { tables: [each, long], aims };
}
