/** The AI SDK's loop with a model that answers at once, in memory: one agent, one answer. */
import { ToolLoopAgent } from 'ai';
import { usage } from '../agents/script.mjs';

const model = {
  specificationVersion: 'v4',
  provider: 'scripted',
  modelId: 'scripted',
  supportedUrls: {},
  async doGenerate({ prompt }) {
    const text = String(Number(prompt.at(-1).content[0].text) + 1);
    return { usage, warnings: [], content: [{ type: 'text', text }], finishReason: { unified: 'stop', raw: 'stop' } };
  },
  async doStream() {
    throw new Error('is not streamed');
  },
};

export async function aiSdk() {
  const agent = new ToolLoopAgent({ model, instructions: 'sys' });
  return {
    shapes: { one: async (n) => Number((await agent.generate({ prompt: String(n) })).text) },
    close: async () => undefined,
  };
}
