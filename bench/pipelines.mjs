/**
 * Pipelines of 1 step, of 3 in a row and of 3 + 3 parallel ones, in process: Carrel, durable and journalled, beside others
 * that keep nothing. Every variant does the same trivial work and its result is checked. In every round all variants
 * have their turn at a shape, one after the other, so that a busy machine hits them alike. Run after `npm run build` and
 * `npm ci --prefix bench`: `node bench/pipelines.mjs [--rounds N] [--ms N] [--shapes …] [--variants …]`.
 */
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { heading, inParallel, median } from './lib.mjs';

const SHAPES = {
  one: { title: '1 step', expected: (n) => n + 1 },
  row: { title: '3 steps in a row', expected: (n) => n + 3 },
  parallel: { title: '3 + 3 parallel steps', expected: (n) => 3 * (3 * (n + 1) + 1) },
};
const carrel = async (sync) => (await import('./pipelines/carrel.mjs')).carrel(sync);
const mastra = async (way) => (await import('./pipelines/mastra.mjs')).mastra(way);
const langgraph = async (isStreamed) => (await import('./pipelines/langgraph.mjs')).langgraph(isStreamed);
const VARIANTS = {
  full: ['Carrel, durable (sync full)', () => carrel('full')],
  normal: ['Carrel, durable (sync normal)', () => carrel('normal')],
  mastra: ['Mastra, streamed', () => mastra('streamed')],
  mastraMute: ['Mastra, no events', () => mastra('started')],
  mastraRegistered: ['Mastra, registered', () => mastra('registered')],
  langgraph: ['LangGraph.js, streamed', () => langgraph(true)],
  langgraphMute: ['LangGraph.js, no events', () => langgraph(false)],
  plain: ['plain async function', async () => (await import('./pipelines/plain.mjs')).plain()],
};
const OWN = ['full', 'normal'];
const PEERS = Object.keys(VARIANTS).filter((name) => !OWN.includes(name) && name !== 'plain');

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '4' },
    /** How long each variant works at a shape in a round. */
    ms: { type: 'string', default: '400' },
    /** How long it works before anything counts: engines are slow until their code is optimised. */
    warm: { type: 'string', default: '1500' },
    shapes: { type: 'string', default: 'one,row,parallel' },
    at: { type: 'string', default: '1,100' },
    variants: { type: 'string', default: Object.keys(VARIANTS).join() },
  },
});
const ROUNDS = Number(values.rounds);
const MS = Number(values.ms);
const shapes = values.shapes.split(',');

// or whoever waits for his turn loses compiled code, and the first of two that share code pays for both
setFlagsFromString('--no-flush-bytecode');
/** What comes before each turn and does not count, for the same reason. */
const LEAD_IN_MS = 250;

/** Runs until the time is over; every result must be right. */
async function measured(shape, run, concurrency, ms = MS) {
  const { expected } = SHAPES[shape];
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  let runs = 0;
  const isOver = () => performance.now() - startedAt >= ms;
  await inParallel(concurrency, concurrency, async () => {
    while (!isOver()) {
      const n = runs++;
      const result = await run(n);
      if (result !== expected(n)) throw new Error(`${shape} of ${n} gave ${result} instead of ${expected(n)}`);
    }
  });
  const seconds = (performance.now() - startedAt) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { perSecond: runs / seconds, cpuUs: (user + system) / runs };
}

/** Alternating rounds. */
async function compare(variants, shape, concurrency) {
  const rounds = [];
  for (let round = 0; round < ROUNDS; round++) {
    const results = {};
    for (const [name, { runs }] of Object.entries(variants)) {
      await measured(shape, runs[shape], concurrency, LEAD_IN_MS);
      results[name] = await measured(shape, runs[shape], concurrency);
    }
    rounds.push(results);
  }
  return rounds;
}

const span = (list, digits) =>
  `${median(list).toFixed(digits).padStart(8)} (${Math.min(...list).toFixed(digits)}–${Math.max(...list).toFixed(digits)})`;

function show(variants, rounds, title) {
  console.log(`\n${title}`);
  for (const [name, { label }] of Object.entries(variants)) {
    const of = (fact) => rounds.map((results) => results[name][fact]);
    console.log(
      `${label.padEnd(30)} ${span(of('perSecond'), 0).padEnd(28)} runs/s   CPU ${span(of('cpuUs'), 1).padEnd(26)} µs per run`,
    );
  }
  for (const own of OWN) {
    for (const peer of PEERS) {
      if (!variants[own] || !variants[peer]) continue;
      const speed = rounds.map((results) => results[own].perSecond / results[peer].perSecond);
      const cpu = rounds.map((results) => results[peer].cpuUs / results[own].cpuUs);
      console.log(
        `  ${variants[own].label} : ${variants[peer].label.padEnd(26)} ${span(speed, 2).trim()} × runs/s   ${span(cpu, 2).trim()} × by CPU   rounds ${speed.map((ratio) => ratio.toFixed(2)).join(' ')}`,
      );
    }
  }
}

async function versionOf(name) {
  return JSON.parse(await readFile(new URL(`./node_modules/${name}/package.json`, import.meta.url), 'utf8')).version;
}

console.log(heading());
console.log(
  `@langchain/langgraph ${await versionOf('@langchain/langgraph')}, @mastra/core ${await versionOf('@mastra/core')}`,
);
console.log(`${ROUNDS} rounds of ${MS} ms: median (min–max)`);
const variants = {};
for (const name of values.variants.split(',')) {
  const [label, open] = VARIANTS[name];
  const { shapes: runs, close } = await open();
  variants[name] = { label, runs, close };
  for (const shape of shapes) await measured(shape, runs[shape], 100, Number(values.warm));
}
for (const concurrency of values.at.split(',').map(Number)) {
  for (const shape of shapes) {
    const rounds = await compare(variants, shape, concurrency);
    show(variants, rounds, `${SHAPES[shape].title}, ${concurrency === 1 ? 'one by one' : `${concurrency} at a time`}`);
  }
}
for (const { close } of Object.values(variants)) await close();
process.exit(0);
