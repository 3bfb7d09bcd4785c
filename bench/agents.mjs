/**
 * One run of an agent with a language model that calls one tool, at zero latency: Carrel, recorded, journalled and delivered to
 * subscribers of its bus (started in process, no socket between), beside others that keep nothing. Each variant is a process of its
 * own; in every round all have their turn, one after the other, so that a busy machine hits them alike. Run after
 * `npm run build` and `npm ci --prefix bench`: `node bench/agents.mjs [--rounds N] [--ms N] [--warm N] [--at …] [--variants …]`.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { heading, median } from './lib.mjs';

const LABELS = {
  carrel: 'Carrel, LlmAgent',
  assistant: 'Carrel, assistant',
  stream: 'AI SDK ToolLoopAgent, stream',
  generate: 'AI SDK ToolLoopAgent, generate',
  mastra: 'Mastra Agent, stream',
  openai: '@openai/agents, stream',
};
const OWN = ['carrel', 'assistant'];

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    /** How long each variant works in a round. */
    ms: { type: 'string', default: '600' },
    /** How long it works before anything counts. */
    warm: { type: 'string', default: '2500' },
    at: { type: 'string', default: '1,100' },
    variants: { type: 'string', default: Object.keys(LABELS).join() },
  },
});

async function start(name) {
  const child = fork(new URL('./agents/process.mjs', import.meta.url), [name], {
    execArgv: ['--no-flush-bytecode'], // or whoever waits for his turn loses compiled code
  });
  await once(child, 'message');
  return {
    async measure(concurrency, ms) {
      child.send({ concurrency, ms });
      const [result] = await once(child, 'message');
      return result;
    },
    async stop() {
      child.send({});
      await once(child, 'exit');
    },
  };
}

const span = (list, digits) =>
  `${median(list).toFixed(digits)} (${Math.min(...list).toFixed(digits)}–${Math.max(...list).toFixed(digits)})`;

function show(rounds, names, title) {
  console.log(`\n${title}`);
  for (const name of names) {
    const of = (fact) => rounds.map((results) => results[name][fact]);
    console.log(
      `${LABELS[name].padEnd(32)} ${span(of('perSecond'), 0).padEnd(22)} runs/s   CPU ${span(of('cpuUs'), 0).padEnd(22)} µs per run`,
    );
  }
  for (const own of OWN.filter((name) => names.includes(name))) {
    for (const peer of names.filter((name) => !OWN.includes(name))) {
      const speed = rounds.map((results) => results[peer].perSecond / results[own].perSecond);
      const cpu = rounds.map((results) => results[own].cpuUs / results[peer].cpuUs);
      console.log(
        `  ${LABELS[own]} takes ${span(speed, 2)} × the time and ${span(cpu, 2)} × the CPU of ${LABELS[peer]}`,
      );
    }
  }
}

async function versionOf(name) {
  return JSON.parse(await readFile(new URL(`./node_modules/${name}/package.json`, import.meta.url), 'utf8')).version;
}

const names = values.variants.split(',');
const rounds = Number(values.rounds);
console.log(heading());
console.log(
  `ai ${await versionOf('ai')}, @mastra/core ${await versionOf('@mastra/core')}, @openai/agents ${await versionOf('@openai/agents')}`,
);
console.log(`${rounds} rounds of ${values.ms} ms: median (min–max)`);
const variants = {};
for (const name of names) {
  variants[name] = await start(name);
  await variants[name].measure(20, Number(values.warm));
}
for (const concurrency of values.at.split(',').map(Number)) {
  const results = [];
  for (let round = 0; round < rounds; round++) {
    const of = {};
    for (const name of names) of[name] = await variants[name].measure(concurrency, Number(values.ms));
    results.push(of);
  }
  show(results, names, concurrency === 1 ? 'one by one' : `${concurrency} at a time`);
}
for (const { stop } of Object.values(variants)) await stop();
