/** A Mastra workflow of one step, in no Mastra instance; the step calls back itself, which is quicker than its stream. */
import { createStep, createWorkflow } from '@mastra/core/workflows';
import { z } from 'zod';
import { THOUGHTS } from './thoughts.mjs';

const Input = z.object({ text: z.string(), n: z.number() });
const Output = z.object({ words: z.number() });
const thinkers = new Map();
const step = createStep({
  id: 'think',
  inputSchema: Input,
  outputSchema: Output,
  execute: async ({ inputData: { n } }) => {
    const think = thinkers.get(n);
    for (let i = 0; i < THOUGHTS; i++) think();
    return { words: 3 };
  },
});
const workflow = createWorkflow({ id: 'thinker', inputSchema: Input, outputSchema: Output }).then(step).commit();
let runs = 0;

export async function carryOut(text, think) {
  const n = runs++;
  thinkers.set(n, think);
  const run = await workflow.createRun();
  const end = await run.start({ inputData: { text, n } });
  thinkers.delete(n);
  if (end.status !== 'success') throw new Error(JSON.stringify(end));
}
