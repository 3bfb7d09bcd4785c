/** How long `carrel start` takes until it listens and until what an earlier process left is on its way, and what the first requests wait for. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MAIN, SETTINGS, startCarrel, WAITERS } from '../start/server.mjs';
import { alternate, figureAim } from '../suite/figures.mjs';

export const title = 'Start: until it listens, until unfinished runs are on their way, and the first run';

const LEAVE_RUNS = fileURLToPath(new URL('../start/leave-runs.mjs', import.meta.url));
const TEXT = 'A carrel is a desk in a library. Monks had carrels in their cloisters. Many people read in one room.';
const SUMMARISE = JSON.stringify({ agent: 'summarise', input: { text: TEXT } });
/** How soon after the server listens somebody starts the first run. */
const SOON_MS = 1_000;

const columns = {
  readyMs: { label: 'listens after, ms', digits: 0 },
  recoveredMs: { label: 'all on their way after, ms', digits: 0 },
  slowestMs: { label: 'slowest request meanwhile, ms', digits: 0 },
  firstMs: { label: 'first request, ms', digits: 0 },
  firstRunMs: { label: 'first run, ms', digits: 0 },
  secondRunMs: { label: 'second run, ms', digits: 0 },
  rssMb: { label: 'memory, MiB', digits: 0 },
};

async function timed(work) {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

async function asked(server, token, path, body) {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', prefer: 'wait=30' };
  const answer = await fetch(`${server.url}${path}`, { headers, ...(body && { method: 'POST', body }) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`);
}

async function emptyStart(folder, token, pauseMs) {
  const server = await startCarrel(folder);
  const rssMb = server.rssMb();
  const { readyMs } = server;
  if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
  const firstMs = await timed(() => asked(server, token, '/v1/me'));
  const firstRunMs = await timed(() => asked(server, token, '/v1/runs', SUMMARISE));
  const secondRunMs = await timed(() => asked(server, token, '/v1/runs', SUMMARISE));
  await server.stop();
  return { readyMs, rssMb, firstMs, firstRunMs, secondRunMs };
}

async function fullStart(folder, token, runs) {
  const server = await startCarrel(folder, ['--agents', WAITERS]);
  const waits = [];
  const recovered = server.recovered(runs);
  const ask = async () => waits.push(await timed(() => asked(server, token, '/v1/me')));
  const askUntilThen = () => Promise.race([recovered, ask().then(() => undefined)]);
  let recoveredMs;
  do recoveredMs = await askUntilThen();
  while (recoveredMs === undefined);
  const { readyMs } = server;
  const rssMb = server.rssMb();
  await server.stop();
  return { readyMs, recoveredMs, slowestMs: Math.max(...waits), rssMb };
}

function leaveRuns(folder, runs) {
  const BENCH_BUILD = fileURLToPath(new URL('../../dist', import.meta.url));
  try {
    execFileSync(process.execPath, [LEAVE_RUNS, folder, String(runs)], { env: { ...process.env, BENCH_BUILD } });
  } catch (error) {
    if (error.signal !== 'SIGKILL') throw error; // as meant
  }
}

export async function run({ isQuick, log }) {
  const [rounds, runs] = isQuick ? [2, 2_000] : [7, 100_000];
  process.env.BENCH_BUILD = fileURLToPath(new URL('../../dist', import.meta.url));
  const folder = mkdtempSync(join(tmpdir(), 'carrel-bench-'));
  const env = { ...process.env, ...SETTINGS };
  const token = execFileSync(process.execPath, [MAIN, 'token', '--user', 'alice'], { env, encoding: 'utf8' }).trim();
  try {
    log(`leaving ${runs} runs unfinished`);
    leaveRuns(join(folder, 'full'), runs);
    const [at, soon, full] = [
      'empty, the first run at once',
      'empty, the first run a second later',
      `${runs.toLocaleString('en')} unfinished runs`,
    ];
    const copied = (round) => {
      const copy = join(folder, `full-${round}`);
      cpSync(join(folder, 'full'), copy, { recursive: true });
      return copy;
    };
    const variants = [
      { label: at, start: (round) => emptyStart(join(folder, `a-${round}`), token, 0) },
      { label: soon, start: (round) => emptyStart(join(folder, `b-${round}`), token, SOON_MS) },
      {
        label: full,
        async start(round) {
          const copy = copied(round);
          const figures = await fullStart(copy, token, runs);
          rmSync(copy, { recursive: true });
          return figures;
        },
      },
    ];
    const rows = await alternate(variants, rounds, ({ start }, round) => start(round));
    const table = { title: 'From the start of the process', columns, rows };
    const aims = [
      figureAim('ready, empty', table, { of: at, column: 'readyMs' }, { atMost: 700, digits: 0, unit: ' ms' }),
      figureAim(full, table, { of: full, column: 'recoveredMs' }, { atMost: 3000, digits: 0, unit: ' ms' }),
    ];
    return { tables: [table], aims };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
