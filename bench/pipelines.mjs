/**
 * Pipelines of 1 step, of 3 in a row and of 3 + 3 parallel ones: Carrel, durable and journalled, beside others that keep
 * nothing. Every variant does the same trivial work, in a process of its own, so that nobody's heap or compiled code weighs
 * on another; in every round they have their turns one after the other, in changing order. Run after `npm run build` and
 * `npm ci --prefix bench`: `node bench/pipelines.mjs [--rounds N] [--ms N] [--shapes …] [--at …] [--variants …]`.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { heading, median } from './lib.mjs';
import { SHAPES, VARIANTS } from './pipelines/variants.mjs';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    /** How long each variant works at a shape in a round. */
    ms: { type: 'string', default: '400' },
    /** How long it works before anything counts: engines are slow until their code is optimised. */
    warm: { type: 'string', default: '1500' },
    shapes: { type: 'string', default: Object.keys(SHAPES).join() },
    at: { type: 'string', default: '1,100' },
    variants: { type: 'string', default: Object.keys(VARIANTS).join() },
  },
});
const ROUNDS = Number(values.rounds);
const MS = Number(values.ms);
const WARM_MS = Number(values.warm);
const names = values.variants.split(',');
const shapes = values.shapes.split(',');

async function contender(name) {
  const child = fork(new URL('pipelines/contender.mjs', import.meta.url), [name], { stdio: 'inherit' });
  child.on('exit', (code) => code && process.exit(code)); // it has said why
  await once(child, 'message');
  const measured = async (turn) => {
    child.send(turn);
    const [result] = await once(child, 'message');
    return result;
  };
  const close = async () => {
    child.send('close');
    await once(child, 'exit');
  };
  return { ...VARIANTS[name], measured, close };
}

/** Alternating rounds; every other one goes backwards, so that nobody always works after the same one. */
async function compare(contenders, shape, concurrency) {
  for (const { measured } of contenders.values()) await measured({ shape, concurrency, ms: WARM_MS });
  const rounds = [];
  for (let round = 0; round < ROUNDS; round++) {
    const results = {};
    const order = [...contenders];
    if (round % 2 === 1) order.reverse();
    for (const [name, { measured }] of order) results[name] = await measured({ shape, concurrency, ms: MS });
    rounds.push(results);
  }
  return rounds;
}

const span = (list, digits) =>
  `${median(list).toFixed(digits).padStart(8)} (${Math.min(...list).toFixed(digits)}–${Math.max(...list).toFixed(digits)})`;

function show(contenders, rounds, title) {
  console.log(`\n${title}`);
  for (const [name, { label }] of contenders) {
    const of = (fact) => rounds.map((results) => results[name][fact]);
    console.log(
      `${label.padEnd(30)} ${span(of('perSecond'), 0).padEnd(28)} runs/s   CPU ${span(of('cpuUs'), 1).padEnd(26)} µs per run`,
    );
  }
  const isPeer = (name) => name !== 'plain' && !VARIANTS[name].isOwn;
  for (const own of names.filter((name) => VARIANTS[name].isOwn)) {
    for (const peer of names.filter(isPeer)) {
      const speed = rounds.map((results) => results[own].perSecond / results[peer].perSecond);
      const cpu = rounds.map((results) => results[peer].cpuUs / results[own].cpuUs);
      console.log(
        `  ${VARIANTS[own].label} : ${VARIANTS[peer].label.padEnd(28)} ${span(speed, 2).trim()} × runs/s   ${span(cpu, 2).trim()} × by CPU   rounds ${speed.map((ratio) => ratio.toFixed(2)).join(' ')}`,
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
const contenders = new Map();
for (const name of names) contenders.set(name, await contender(name));
for (const concurrency of values.at.split(',').map(Number)) {
  for (const shape of shapes) {
    const rounds = await compare(contenders, shape, concurrency);
    show(
      contenders,
      rounds,
      `${SHAPES[shape].title}, ${concurrency === 1 ? 'one by one' : `${concurrency} at a time`}`,
    );
  }
}
for (const { close } of contenders.values()) await close();
process.exit(0);
