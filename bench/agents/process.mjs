/** One variant in a process of its own: measures itself when it is told to. */
import { inParallel } from '../lib.mjs';
import { TEXT } from './script.mjs';

const VARIANTS = {
  carrel: async () => (await import('./carrel.mjs')).carrel('adder'),
  assistant: async () => (await import('./carrel.mjs')).carrel('assistant'),
  stream: async () => (await import('./ai-sdk.mjs')).aiSdk('stream'),
  generate: async () => (await import('./ai-sdk.mjs')).aiSdk('generate'),
  mastra: async () => (await import('./mastra.mjs')).mastra(),
  openai: async () => (await import('./openai-agents.mjs')).openaiAgents(),
};

const { run, close } = await VARIANTS[process.argv[2]]();
process.on('message', (message) => void answer(message));
process.send({});

async function answer({ concurrency, ms }) {
  if (!ms) {
    await close();
    process.exit(0);
  }
  process.send(await measured(concurrency, ms));
}

/** Runs until the time is over; every result must be right. */
async function measured(concurrency, ms) {
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  let runs = 0;
  const isOver = () => performance.now() - startedAt >= ms;
  await inParallel(concurrency, concurrency, async () => {
    while (!isOver()) {
      runs++;
      const text = await run();
      if (text.trim() !== TEXT.trim()) throw new Error(`the agent said ${JSON.stringify(text)}`);
    }
  });
  const seconds = (performance.now() - startedAt) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { perSecond: runs / seconds, cpuUs: (user + system) / runs };
}
