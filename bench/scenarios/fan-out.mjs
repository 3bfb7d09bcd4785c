/**
 * Events of 300 bytes to the rooms of many users: Carrel, whose events are made by runs, ordered, journalled and kept for whoever
 * comes back, beside bare Socket.IO and bare `ws`, which send each event once and know nothing of it afterwards.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { alternate, ratioAim } from '../suite/figures.mjs';

export const title = 'Fan-out: events to the sockets of many users';

const VARIANTS = {
  carrel: 'Carrel',
  socketio: 'Socket.IO, one by one',
  socketioAtOnce: 'Socket.IO, 50 at once',
  ws: 'ws',
};
/** A load that everybody bears, for the time an event takes. */
const PACE = 4000;

const CROWDS = [
  ...[100, 1000, 10_000].map((users) => ({
    title: `${users.toLocaleString('en')} users`,
    crowd: { users, socketsPerUser: 1, slowShare: 0 },
    isPaced: true,
  })),
  { title: '1,000 users with 3 sockets each', crowd: { users: 1000, socketsPerUser: 3, slowShare: 0 } },
  {
    title: '1,000 users, of whom a tenth do not read',
    note: 'The figures are those of the others.',
    crowd: { users: 1000, socketsPerUser: 1, slowShare: 0.1 },
  },
];

const COLUMNS = {
  eventsPerSecond: { label: 'delivered events/s', digits: 0 },
  cpuUs: { label: 'server CPU µs per event', digits: 1 },
  bytes: { label: 'bytes per event', digits: 0 },
  p50: { label: `p50 ms at ${PACE.toLocaleString('en')} events/s`, digits: 1 },
  p99: { label: 'p99 ms', digits: 1 },
};

async function side([name, label]) {
  const child = fork(new URL('../fan-out/side.mjs', import.meta.url), [name]);
  child.on('exit', (code) => code && process.exit(code)); // it has said why
  await once(child, 'message');
  const tell = async (what, given) => {
    child.send([what, given]);
    const [answer] = await once(child, 'message');
    return answer;
  };
  return { label, tell };
}

const ratios = ['socketio', 'ws', 'socketioAtOnce'].map((to) => ({
  of: VARIANTS.carrel,
  to: VARIANTS[to],
  column: 'eventsPerSecond',
}));

function aimsOf(tables) {
  const [besideSocketIo, besideWs] = ratios;
  return tables
    .slice(0, 3)
    .flatMap((table) => [
      ratioAim(`${table.title}, beside bare Socket.IO, one by one`, table, besideSocketIo, { atLeast: 1.5 }),
      ratioAim(`${table.title}, beside bare ws`, table, besideWs, { atLeast: 0.6 }),
    ]);
}

export async function run({ isQuick, log }) {
  const [rounds, ms] = isQuick ? [2, 200] : [5, 800];
  const sides = await Promise.all(Object.entries(VARIANTS).map(side));
  const tables = [];
  for (const { crowd, isPaced, ...what } of CROWDS) {
    log(what.title);
    for (const { tell } of sides) await tell('open', crowd);
    for (const { tell } of sides) await tell('saturate', ms);
    const rows = await alternate(sides, rounds, async ({ tell }) => ({
      ...(await tell('saturate', ms)),
      ...(isPaced && (await tell('pace', { ms, perSecond: PACE }))),
    }));
    for (const { tell } of sides) await tell('close');
    tables.push({ ...what, columns: COLUMNS, rows, ratios });
  }
  for (const { tell } of sides) await tell('stop');
  return { tables, aims: aimsOf(tables) };
}
