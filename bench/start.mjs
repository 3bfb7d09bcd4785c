/**
 * How long `carrel start` takes until it listens, with an empty data folder and with 100,000 unfinished runs, what the
 * first requests wait for, and how much memory it has then. Several builds have their turns one after the other. Run after
 * `npm run build`: `node bench/start.mjs [--rounds N] [--runs N] [--json file] [--builds after=dist,before=../old/dist]`.
 */
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { heading, median } from './lib.mjs';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    /** Unfinished ones; 0 leaves that part out. */
    runs: { type: 'string', default: '100000' },
    builds: { type: 'string', default: `this=${fileURLToPath(new URL('../dist', import.meta.url))}` },
    json: { type: 'string' },
  },
});
const builds = Object.fromEntries(values.builds.split(',').map((text) => text.split('=')));
const WAITERS = fileURLToPath(new URL('start/waiter.module.mjs', import.meta.url));
const LEAVE_RUNS = fileURLToPath(new URL('start/leave-runs.mjs', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'carrel-bench-'));
const SETTINGS = { CARREL_JWT_SECRET: 's'.repeat(32), CARREL_USER_MAX_RUNNING: '100', CARREL_LOG_LEVEL: 'info' };

function envOf(build) {
  return { ...process.env, ...SETTINGS, BENCH_BUILD: resolve(builds[build]) };
}

/** Starts a server and resolves when it says that it listens. */
async function start(build, data, more = []) {
  const began = performance.now();
  const main = join(resolve(builds[build]), 'main.js');
  const child = spawn(process.execPath, [main, 'start', '--port', '0', '--data', data, ...more], {
    env: envOf(build),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  const waiting = [];
  child.stdout.setEncoding('utf8').on('data', (text) => {
    said += text;
    for (const check of waiting) check();
  });
  const line = (pattern) =>
    new Promise((found, failed) => {
      const check = () => pattern.test(said) && found(pattern.exec(said));
      waiting.push(check);
      check();
      child.once('exit', () => failed(new Error(`${build} ended: ${said}`)));
    });
  const [, url] = await line(/^Carrel listens on (\S+)$/m);
  const stop = () =>
    new Promise((ended) => {
      child.once('exit', ended);
      child.kill('SIGKILL');
    });
  return { url, readyMs: performance.now() - began, sinceStart: () => performance.now() - began, line, stop, child };
}

async function timed(work) {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

async function asked(server, path, body) {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', prefer: 'wait=30' };
  const answer = await fetch(`${server.url}${path}`, { headers, ...(body && { method: 'POST', body }) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`);
}

function rssMb({ child }) {
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(child.pid)], { encoding: 'utf8' })) / 1024;
}

const TEXT = 'A carrel is a desk in a library. Monks had carrels in their cloisters. Many people read in one room.';
const SUMMARISE = JSON.stringify({ agent: 'summarise', input: { text: TEXT } });

async function empty(build, round) {
  const server = await start(build, join(folder, `${build}-${round}`));
  const result = { 'ready, empty (ms)': server.readyMs, 'memory when ready (MB)': rssMb(server) };
  result['first request (ms)'] = await timed(() => asked(server, '/v1/me'));
  result['first run (ms)'] = await timed(() => asked(server, '/v1/runs', SUMMARISE));
  result['second run (ms)'] = await timed(() => asked(server, '/v1/runs', SUMMARISE));
  await server.stop();
  return result;
}

async function full(build, round) {
  const data = join(folder, `${build}-full-${round}`);
  cpSync(join(folder, 'full'), data, { recursive: true });
  const server = await start(build, data, ['--agents', WAITERS]);
  const waits = [];
  let isRecovered = false;
  const recovered = server.line(/unfinished runs are on their way again/).then(() => {
    isRecovered = true;
    return server.sinceStart();
  });
  while (!isRecovered) waits.push(await timed(() => asked(server, '/v1/me')));
  const result = {
    'ready, with unfinished runs (ms)': server.readyMs,
    'recovered (ms)': await recovered,
    'slowest request meanwhile (ms)': Math.max(...waits),
  };
  await server.stop();
  rmSync(data, { recursive: true });
  return result;
}

const [first] = Object.keys(builds);
const token = execFileSync(process.execPath, [join(builds[first], 'main.js'), 'token', '--user', 'alice'], {
  env: envOf(first),
  encoding: 'utf8',
}).trim();
const runs = Number(values.runs);
if (runs > 0) spawnLeaver();

function spawnLeaver() {
  try {
    execFileSync(process.execPath, [LEAVE_RUNS, join(folder, 'full'), String(runs)], { env: envOf(first) });
  } catch (error) {
    if (error.signal !== 'SIGKILL') throw error; // as meant
  }
}

console.log(`${heading()}\n${values.rounds} rounds, ${runs} unfinished runs: median (min–max)`);
const results = Object.fromEntries(Object.keys(builds).map((build) => [build, []]));
for (let round = 0; round < Number(values.rounds); round++) {
  const order = Object.keys(builds);
  if (round % 2 === 1) order.reverse();
  for (const build of order) {
    results[build].push({ ...(await empty(build, round)), ...(runs > 0 && (await full(build, round))) });
  }
}
for (const [build, rounds] of Object.entries(results)) {
  console.log(`\n${build}`);
  for (const fact of Object.keys(rounds[0])) {
    const list = rounds.map((round) => round[fact]);
    const span = `(${Math.min(...list).toFixed(0)}–${Math.max(...list).toFixed(0)})`;
    console.log(`  ${fact.padEnd(34)} ${median(list).toFixed(0).padStart(6)} ${span}`);
  }
}
if (values.json) writeFileSync(values.json, JSON.stringify(results, undefined, 2));
rmSync(folder, { recursive: true });
