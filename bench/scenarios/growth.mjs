/** What an operation costs in a storage that is empty but for a few users, and in large ones; and with few and many users connected. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectedServer } from '../growth/connected.mjs';
import { generate } from '../growth/generate.mjs';
import { startServer } from '../lib.mjs';
import { alternate, ratioAim } from '../suite/figures.mjs';

export const title = 'Growth: the cost of an operation from the smallest to the largest';

const DAY_MS = 86_400_000;
const FEW = 10;
const HISTORY = { runsOfUser: 10, eventsOfRun: 10 };
/** Coprime to every number of users here: neighbours in a round are far apart in the storage. */
const STRIDE = 7_919;
const digits = 1;
const columns = {
  runCpu: { label: 'run, CPU µs', digits },
  accept: { label: 'accept, ms', digits: 2 },
  start: { label: 'start, ms', digits: 2 },
  finish: { label: 'finish, ms', digits: 2 },
  listCpu: { label: 'list, CPU µs', digits },
  listTime: { label: 'list, µs', digits },
  resumeCpu: { label: 'resume, CPU µs', digits },
  resumeTime: { label: 'resume, µs', digits },
};
const OPERATIONS = { runCpu: 'accept, start and finish', listCpu: 'list', resumeCpu: 'resume' };
/** By then what was accepted last is in its own tables, which is not to be the readers' work. */
const SETTLED_MS = 500;
const few = Array.from({ length: FEW }, (_, i) => `user-${i}`);

const text = (number) => number.toLocaleString('en');

/** A server whose storage has this history, made before it starts. */
async function storeWith(folder, name, users) {
  const data = join(folder, name);
  const first = await startServer('inside', { BENCH_DATA: data }); // makes the tables
  await first.send({ work: 'close' });
  await first.stop();
  generate(data, { users, ...HISTORY });
  return startServer('inside', { BENCH_DATA: data });
}

/** The smallest storage, with runs of others that wait for their time: accepted by a server that has ended since. */
async function waitingStore(folder, users, count) {
  const first = await storeWith(folder, 'waiting', FEW);
  const sleepers = Array.from({ length: users }, (_, i) => `sleeper-${i}`);
  await first.send({ work: 'waiting', users: sleepers, count, delayMs: DAY_MS });
  await first.send({ work: 'close' });
  await first.stop();
  return startServer('inside', { BENCH_DATA: join(folder, 'waiting') });
}

/** One round: the same operations on behalf of these users. */
async function operations({ server, usersOf }, round, [runs, reads]) {
  const users = usersOf(round, Math.max(runs, reads));
  const ran = await server.send({ work: 'runs', users, count: runs, at: 8 });
  await new Promise((resolve) => setTimeout(resolve, SETTLED_MS));
  const listed = await server.send({ work: 'list', users, count: reads });
  const resumed = await server.send({ work: 'resume', users, count: reads, after: 50 });
  return {
    runCpu: ran.cpuUs,
    accept: ran.acceptMs,
    start: ran.startMs,
    finish: ran.finishMs,
    listCpu: listed.cpuUs,
    listTime: listed.us,
    resumeCpu: resumed.cpuUs,
    resumeTime: resumed.us,
  };
}

async function stored({ isQuick, log }, folder) {
  const [users, waiting] = isQuick ? [2_000, 2_000] : [100_000, 100_000];
  const [rounds, counts] = isQuick ? [2, [200, 200]] : [9, [1_500, 1_500]];
  log('making the storages');
  const small = await storeWith(folder, 'small', FEW);
  const large = await storeWith(folder, 'large', users);
  const seenOnce = (rounds + 1) * Math.max(...counts);
  const some = await storeWith(folder, 'some', seenOnce);
  const patient = await waitingStore(folder, users / 10, waiting);
  const labels = {
    small: `${FEW} users, 100 runs, 1,000 events`,
    large: `${text(users)} users, ${text(users * 10)} runs, ${text(users * 100)} rows of events; ${FEW} of the users`,
    all: 'the same, always other users',
    some: `${text(seenOnce)} users, always other ones`,
    waiting: `${FEW} users; ${text(waiting)} runs that wait for their time`,
  };
  const spreadOver = (of) => (round, n) =>
    Array.from({ length: n }, (_, i) => `user-${((round * n + i) * STRIDE) % of}`);
  const variants = [
    { label: labels.small, server: small, usersOf: () => few },
    { label: labels.large, server: large, usersOf: () => few },
    { label: labels.all, server: large, usersOf: spreadOver(users) },
    { label: labels.some, server: some, usersOf: spreadOver(seenOnce) },
    { label: labels.waiting, server: patient, usersOf: () => few },
  ];
  for (const variant of variants) await operations(variant, rounds, counts); // warms up
  log('operations');
  const rows = await alternate(variants, rounds, (variant, round) => operations(variant, round, counts));
  for (const server of [small, large, some, patient]) await server.stop();
  const table = {
    title: 'In process, 8 at a time; a page of 20 runs; 50 events replayed',
    note: 'Each user has 10 runs of 10 events, wherever. Users who are always others are seen for the first time, so their state is read: that is compared between two sizes, too.',
    columns,
    rows,
    ratios: Object.keys(OPERATIONS).flatMap((column) => [
      { of: labels.large, to: labels.small, column },
      { of: labels.all, to: labels.some, column },
      { of: labels.waiting, to: labels.small, column },
    ]),
  };
  const aims = table.ratios.map((ratio) =>
    ratioAim(`${OPERATIONS[ratio.column]}, CPU: ${ratio.of}`, table, ratio, { atMost: 1.2 }),
  );
  return { table, aims };
}

async function connected({ isQuick, log }) {
  const [many, rounds, count] = isQuick ? [500, 2, 500] : [10_000, 7, 3_000];
  log('connecting');
  const [small, large] = [await connectedServer(FEW), await connectedServer(many)];
  const variants = [
    { label: `${FEW} connected`, server: small, among: FEW },
    { label: `${text(many)} connected, runs of ${FEW} of them`, server: large, among: FEW },
    { label: `${text(many)} connected, runs of all in turn`, server: large, among: many },
  ];
  for (const { server, among } of variants) await server.runs(Math.max(many, 3 * count), among); // everybody has been there
  log('runs');
  const table = {
    title: 'Over HTTP, events to the sockets, 100 at a time: users connected',
    note: "Only the server's processor time counts: the bench's own sockets are in another process, which has more to do with more of them.",
    columns: { cpuUs: { label: 'CPU µs per run', digits }, perSecond: { label: 'runs/s', digits: 0 } },
    rows: await alternate(variants, rounds, ({ server, among }) => server.runs(count, among)),
    ratios: variants.slice(1).map(({ label }) => ({ of: label, to: variants[0].label, column: 'cpuUs' })),
  };
  for (const server of [small, large]) await server.stop();
  const aims = table.ratios.map((ratio) => ratioAim(`a run, CPU: ${ratio.of}`, table, ratio, { atMost: 1.2 }));
  return { table, aims };
}

export async function run(options) {
  const folder = mkdtempSync(join(tmpdir(), 'carrel-bench-'));
  try {
    const parts = [await stored(options, folder), await connected(options)];
    return { tables: parts.map(({ table }) => table), aims: parts.flatMap(({ aims }) => aims) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
