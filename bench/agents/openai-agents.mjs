/** OpenAI's agents SDK, in memory, without tracing: nothing is recorded. It has an interface of models of its own. */
import { Agent, Runner, tool } from '@openai/agents';
import { z } from 'zod';
import { ARGUMENTS, TEXT, WORDS } from './script.mjs';

const done = (output) => ({
  type: 'response_done',
  response: { id: 'r', usage: { inputTokens: 20, outputTokens: 10, totalTokens: 30 }, output },
});

const model = {
  async getResponse() {
    throw new Error('streams only');
  },
  async *getStreamedResponse({ input }) {
    yield { type: 'response_started' };
    if (Array.isArray(input) && input.at(-1)?.type === 'function_call_result') {
      for (const delta of WORDS) yield { type: 'output_text_delta', delta };
      const content = [{ type: 'output_text', text: TEXT }];
      yield done([{ type: 'message', role: 'assistant', status: 'completed', content }]);
    } else {
      const call = { callId: 'c1', name: 'add', arguments: JSON.stringify(ARGUMENTS), status: 'completed' };
      yield done([{ type: 'function_call', ...call }]);
    }
  },
};

export async function openaiAgents() {
  const parameters = z.object({ a: z.number(), b: z.number() });
  const add = tool({ name: 'add', description: 'adds', parameters, execute: async ({ a, b }) => String(a + b) });
  const agent = new Agent({ name: 'adder', instructions: 'sys', model, tools: [add] });
  const runner = new Runner({ tracingDisabled: true });
  return {
    async run() {
      const result = await runner.run(agent, 'hi', { stream: true, maxTurns: 10 });
      for await (const _ of result); // whoever streams reads
      await result.completed;
      return result.finalOutput;
    },
    async close() {},
  };
}
