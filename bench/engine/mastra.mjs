/** Mastra workflows. Nothing is kept: a Mastra instance without a storage of its own has it in memory. */
import { Mastra } from '@mastra/core';
import { createStep, createWorkflow } from '@mastra/core/workflows';
import { z } from 'zod';

const N = z.object({ n: z.number() });
const Firsts = z.object({ a1: N, a2: N, a3: N });
const Seconds = z.object({ b1: N, b2: N, b3: N });
const sumOf = (results) => Object.values(results).reduce((sum, { n }) => sum + n, 0);

const step = (id, inputSchema = N, count = ({ n }) => n) =>
  createStep({ id, inputSchema, outputSchema: N, execute: async ({ inputData }) => ({ n: count(inputData) + 1 }) });

const workflows = () => ({
  one: createWorkflow({ id: 'one', inputSchema: N, outputSchema: N }).then(step('a')).commit(),
  row: createWorkflow({ id: 'row', inputSchema: N, outputSchema: N })
    .then(step('a'))
    .then(step('b'))
    .then(step('c'))
    .commit(),
  parallel: createWorkflow({ id: 'parallel', inputSchema: N, outputSchema: Seconds })
    .parallel([step('a1'), step('a2'), step('a3')])
    .parallel([step('b1', Firsts, sumOf), step('b2', Firsts, sumOf), step('b3', Firsts, sumOf)])
    .commit(),
});

async function started(run, n) {
  return run.start({ inputData: { n } });
}

async function streamed(run, n) {
  const stream = run.stream({ inputData: { n } });
  // begin and end of the run and of every step, as Carrel's users get them
  for await (const event of stream.fullStream) if (!event.type) throw new Error(JSON.stringify(event));
  return stream.result;
}

/** @param how `isStreamed`: its events are read; else nobody hears of any. `isRegistered`: in a Mastra instance */
export async function mastra({ isStreamed = false, isRegistered = false }) {
  const { one, row, parallel } = isRegistered
    ? new Mastra({ workflows: workflows(), logger: false }).listWorkflows()
    : workflows();
  const carryOut = isStreamed ? streamed : started;
  const resultOf = async (workflow, n) => {
    const end = await carryOut(await workflow.createRun(), n);
    if (end.status !== 'success') throw new Error(JSON.stringify(end));
    return end.result;
  };
  return {
    shapes: {
      one: async (n) => (await resultOf(one, n)).n,
      row: async (n) => (await resultOf(row, n)).n,
      parallel: async (n) => sumOf(await resultOf(parallel, n)),
    },
    close: async () => undefined,
  };
}
