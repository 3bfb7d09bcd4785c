/** OpenAI's agents SDK with a model that answers at once, in memory, without tracing: one agent, one answer. */
import { Agent, Runner } from '@openai/agents';

const textOf = (input) => (Array.isArray(input) ? input.at(-1).content : input);

const model = {
  async getResponse({ input }) {
    const text = String(Number(textOf(input)) + 1);
    return {
      usage: { inputTokens: 20, outputTokens: 10, totalTokens: 30 },
      output: [{ type: 'message', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text }] }],
    };
  },
  async *getStreamedResponse() {
    throw new Error('is not streamed');
  },
};

export async function openaiAgents() {
  const agent = new Agent({ name: 'increment', instructions: 'sys', model });
  const runner = new Runner({ tracingDisabled: true });
  return {
    shapes: { one: async (n) => Number((await runner.run(agent, String(n))).finalOutput) },
    close: async () => undefined,
  };
}
