/** The AI SDK's own loop, in memory: nothing is recorded. */
import { isStepCount, jsonSchema, tool, ToolLoopAgent } from 'ai';
import { ADD_SCHEMA, model } from './script.mjs';

/** @param way `stream`, or `generate`: without any parts of the answer before its end */
export async function aiSdk(way) {
  const add = tool({ description: 'adds', inputSchema: jsonSchema(ADD_SCHEMA), execute: async ({ a, b }) => a + b });
  const agent = new ToolLoopAgent({ model, instructions: 'sys', stopWhen: isStepCount(10), tools: { add } });
  return {
    async run() {
      if (way === 'generate') return (await agent.generate({ prompt: 'hi' })).text;
      const result = await agent.stream({ prompt: 'hi' });
      for await (const _ of result.stream); // whoever streams reads
      return result.text;
    },
    async close() {},
  };
}
