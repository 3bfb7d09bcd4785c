/** Mastra workflows that are not registered in a Mastra instance, which is their fastest way: nothing is kept. */
import { createStep, createWorkflow } from '@mastra/core/workflows';
import { z } from 'zod';

const N = z.object({ n: z.number() });
const Firsts = z.object({ a1: N, a2: N, a3: N });
const Seconds = z.object({ b1: N, b2: N, b3: N });
const sumOf = (results) => Object.values(results).reduce((sum, { n }) => sum + n, 0);

const step = (id, inputSchema = N, count = ({ n }) => n) =>
  createStep({ id, inputSchema, outputSchema: N, execute: async ({ inputData }) => ({ n: count(inputData) + 1 }) });

const one = createWorkflow({ id: 'one', inputSchema: N, outputSchema: N }).then(step('a')).commit();
const row = createWorkflow({ id: 'row', inputSchema: N, outputSchema: N })
  .then(step('a'))
  .then(step('b'))
  .then(step('c'))
  .commit();
const parallel = createWorkflow({ id: 'parallel', inputSchema: N, outputSchema: Seconds })
  .parallel([step('a1'), step('a2'), step('a3')])
  .parallel([step('b1', Firsts, sumOf), step('b2', Firsts, sumOf), step('b3', Firsts, sumOf)])
  .commit();

async function resultOf(workflow, n) {
  const run = await workflow.createRun();
  const end = await run.start({ inputData: { n } });
  if (end.status !== 'success') throw new Error(JSON.stringify(end));
  return end.result;
}

export async function mastra() {
  return {
    shapes: {
      one: async (n) => (await resultOf(one, n)).n,
      row: async (n) => (await resultOf(row, n)).n,
      parallel: async (n) => sumOf(await resultOf(parallel, n)),
    },
    close: async () => undefined,
  };
}
