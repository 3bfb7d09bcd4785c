/** `distributed.mjs`, which also runs alone with options of its own, as a scenario. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const title = 'Several nodes: started at one node, watched at another';

const SCRIPT = fileURLToPath(new URL('../distributed.mjs', import.meta.url));
const NEEDED = [
  process.env.BENCH_DATABASE_URL ?? 'postgresql://127.0.0.1:5432',
  process.env.BENCH_REDIS_URL ?? 'redis://127.0.0.1:6379',
];
const NOTE =
  'The nodes share PostgreSQL and Redis. BullMQ carries jobs that do nothing, DBOS Transact does one step; as neither has doors, beside ' +
  'them stand runs that are begun and heard of inside. How long an accepted run waits until its user hears that it began is measured ' +
  'once, at half of the median rate.';
const COLUMNS = {
  perSecond: { label: 'runs/s', digits: 0 },
  cpuUs: { label: 'CPU µs per run, all nodes', digits: 0 },
  statements: { label: 'statements per run', digits: 2 },
  postgresUs: { label: 'PostgreSQL µs', digits: 0 },
  redisUs: { label: 'Redis µs', digits: 0 },
  p50: { label: 'accept to start, p50 ms', digits: 1 },
  p99: { label: 'p99 ms', digits: 1 },
};
const OWN = ['Carrel, 1 node', 'Carrel, 2 nodes', 'Carrel, 3 nodes'];
const PEERS = ['BullMQ, jobs that do nothing', 'DBOS Transact, one step'];
const column = 'perSecond';
const RATIOS = OWN.flatMap((of) => [
  { of, to: 'Carrel, embedded', column },
  ...PEERS.flatMap((to) => [of, `${of}, inside`].map((own) => ({ of: own, to, column }))),
]);

const isCrowd = ({ label }) => label.endsWith(' users');

function answers(url) {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  return new Promise((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  }).finally(() => socket.destroy());
}

export async function run({ isQuick, log }) {
  for (const url of NEEDED) if (!(await answers(url))) return { skipped: `nothing listens at ${new URL(url).host}` };
  log('1, 2 and 3 nodes');
  const folder = await mkdtemp(join(tmpdir(), 'carrel-bench-'));
  const file = join(folder, 'results.json');
  const size = isQuick ? ['--rounds', '2', '--runs', '200', '--users', '100,500'] : ['--rounds', '3', '--runs', '1500'];
  const child = spawn(process.execPath, [SCRIPT, ...size, '--json', file], { stdio: ['ignore', 'ignore', 'inherit'] });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`distributed.mjs ended with ${code}`);
  const rows = JSON.parse(await readFile(file, 'utf8')).map(({ name, rounds, latency }) => ({
    label: name,
    rounds: rounds.map((round, i) => ({ ...round, ...(i === 0 && latency) })),
  }));
  await rm(folder, { recursive: true });
  const crowds = rows.filter(isCrowd);
  const [few, many] = crowds.map(({ label }) => label);
  const tables = [
    { title: '100 at a time', note: NOTE, columns: COLUMNS, rows: rows.filter((row) => !isCrowd(row)), ratios: RATIOS },
    {
      title: 'One node, and how many of its users start runs',
      columns: COLUMNS,
      rows: crowds,
      ratios: [column, 'cpuUs'].map((of) => ({ of: many, to: few, column: of })),
    },
  ];
  return { tables, aims: [] };
}
