/** Mastra's agent, in memory: nothing is recorded. */
import { Agent } from '@mastra/core/agent';
import { createTool } from '@mastra/core/tools';
import { z } from 'zod';
import { model } from './script.mjs';

export async function mastra() {
  const inputSchema = z.object({ a: z.number(), b: z.number() });
  const add = createTool({ id: 'add', description: 'adds', inputSchema, execute: async ({ a, b }) => a + b });
  const agent = new Agent({ id: 'adder', name: 'adder', instructions: 'sys', model, tools: { add } });
  return {
    async run() {
      const result = await agent.stream('hi', { maxSteps: 10 });
      for await (const _ of result.fullStream); // whoever streams reads
      return result.text;
    },
    async close() {},
  };
}
