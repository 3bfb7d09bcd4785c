/**
 * Runs on 1, 2 and 3 nodes that share PostgreSQL and Redis, beside the embedded profile, BullMQ carrying jobs that do nothing
 * and DBOS Transact doing one step; then with 100 and with 10,000 users. A run is started over HTTP at one node, and its user's
 * socket is at the next one; it counts when that socket has heard of its end. DBOS and BullMQ have no doors: beside them stand
 * the same nodes with runs that are begun and heard of inside. Run after `npm run build`:
 * `node bench/distributed.mjs [--only embedded,nodes,bullmq,dbos,users] [--rounds N] [--runs N] [--nodes 1,2,3]`. Needs
 * PostgreSQL and Redis: BENCH_DATABASE_URL (its user may make databases) and BENCH_REDIS_URL, or those at their usual places.
 */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { carrel, CONCURRENCY } from './distributed/carrel.mjs';
import { dropDatabases, newDatabase, REDIS } from './distributed/places.mjs';
import { heading, median, startServer } from './lib.mjs';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    runs: { type: 'string', default: '2000' },
    users: { type: 'string', default: '100,10000' },
    nodes: { type: 'string', default: '1,2,3' },
    only: { type: 'string', default: 'embedded,nodes,bullmq,dbos,users' },
    /** A file for what each round measured. */
    json: { type: 'string' },
  },
});
const [ROUNDS, RUNS] = [values.rounds, values.runs].map(Number);
const [FEW, MANY] = values.users.split(',').map(Number);
const only = values.only.split(',');

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

const nodesText = (n) => `Carrel, ${n} node${n > 1 ? 's' : ''}`;
const span = (list, digits = 0) =>
  `${median(list).toFixed(digits)} (${Math.min(...list).toFixed(digits)}–${Math.max(...list).toFixed(digits)})`;

/** All have their turns in each round. @returns each one's rounds but the first */
async function takeTurns(turns) {
  const results = Object.fromEntries(Object.keys(turns).map((name) => [name, []]));
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [name, turn] of Object.entries(turns)) {
      const result = await turn();
      if (round > 0) results[name].push(result);
    }
  }
  return results;
}

const described = [];
function describe(name, rounds, latency) {
  described.push({ name, rounds, latency });
  const of = (fact) => rounds.map((result) => result[fact]);
  const parts = [`${span(of('perSecond'))} runs/s`, `CPU ${span(of('cpuUs'))} µs a run`];
  if (rounds[0].statements > 0) parts.push(`${span(of('statements'), 2)} statements a run`);
  if (rounds[0].postgresUs > 0) {
    const [postgres, redis, clients] = ['postgresUs', 'redisUs', 'clientsUs'].map((fact) => median(of(fact)));
    const all = median(of('cpuUs')) + postgres + redis + clients;
    parts.push(
      `with PostgreSQL ${postgres.toFixed(0)}, Redis ${redis.toFixed(0)} and clients ${clients.toFixed(0)}: ${all.toFixed(0)} µs, so at most ${((cpus().length * 1e6) / all).toFixed(0)} runs/s here`,
    );
  }
  if (latency)
    parts.push(`accept to start at half load p50 ${latency.p50.toFixed(1)} ms, p99 ${latency.p99.toFixed(1)} ms`);
  console.log(`${name.padEnd(30)} ${parts.join('   ')}`);
}

function compare(results, name, other, fact) {
  if (!results[name] || !results[other]) return;
  const ratios = results[name].map((result, round) => result[fact] / results[other][round][fact]);
  console.log(`${name}: ${span(ratios, 2)} × ${other}, ${fact === 'cpuUs' ? 'CPU per run' : 'runs/s'}`);
}

async function sideBySide() {
  const variants = {};
  const insiders = {};
  if (only.includes('embedded')) variants['Carrel, embedded'] = await carrel(0, FEW);
  if (only.includes('nodes')) {
    for (const n of values.nodes.split(',').map(Number)) {
      const cluster = await carrel(n, FEW);
      variants[nodesText(n)] = cluster;
      insiders[`${nodesText(n)}, inside`] = () => cluster.inside(RUNS);
    }
  }
  if (only.includes('bullmq'))
    variants['BullMQ, jobs that do nothing'] = await peer('bullmq', { BENCH_REDIS_URL: REDIS });
  if (only.includes('dbos'))
    variants['DBOS Transact, one step'] = await peer('dbos', { BENCH_DATABASE_URL: await newDatabase() });
  if (Object.keys(variants).length === 0) return;
  const turns = Object.entries(variants).map(([name, variant]) => {
    const runs = name.startsWith('DBOS') ? Math.ceil(RUNS / 4) : RUNS;
    return [name, () => variant.round(runs)];
  });
  const results = await takeTurns({ ...Object.fromEntries(turns), ...insiders });
  console.log(
    `${RUNS} runs a round, ${ROUNDS} rounds, ${FEW} users, ${CONCURRENCY} at a time; medians (least to most)`,
  );
  for (const [name, rounds] of Object.entries(results)) {
    describe(name, rounds, await variants[name]?.latency?.(median(rounds.map((round) => round.perSecond)) / 2));
  }
  for (const n of values.nodes.split(',')) {
    const inside = `${nodesText(n)}, inside`;
    compare(results, nodesText(n), 'Carrel, embedded', 'cpuUs');
    for (const other of ['DBOS Transact, one step', 'BullMQ, jobs that do nothing']) {
      compare(results, nodesText(n), other, 'perSecond');
      compare(results, inside, other, 'perSecond');
    }
  }
  for (const variant of Object.values(variants)) await variant.stop();
}

/** The same node, when few of its users are at work and when all are; all have been there before. */
async function fewAndMany() {
  const cluster = await carrel(1, MANY);
  await cluster.round(MANY);
  const results = await takeTurns({
    [`${FEW} users`]: () => cluster.round(RUNS, FEW),
    [`${MANY} users`]: () => cluster.round(RUNS, MANY),
  });
  console.log(`One node, ${MANY} users who are connected and have been there; those who start runs:`);
  for (const [name, rounds] of Object.entries(results)) describe(name, rounds);
  for (const fact of ['perSecond', 'cpuUs']) compare(results, `${MANY} users`, `${FEW} users`, fact);
  await cluster.stop();
}

console.log(heading());
try {
  await sideBySide();
  if (only.includes('users')) await fewAndMany();
} finally {
  await dropDatabases();
}
if (values.json) writeFileSync(values.json, JSON.stringify(described));
process.exit(0);
