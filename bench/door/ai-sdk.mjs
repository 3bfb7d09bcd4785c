/** The AI SDK's loop with a model that answers at once, in pieces; each piece is a thought. */
import { ToolLoopAgent } from 'ai';
import { usage } from '../agents/script.mjs';
import { THOUGHTS } from './thoughts.mjs';

const PARTS = [
  { type: 'stream-start', warnings: [] },
  { type: 'text-start', id: '1' },
  ...Array.from({ length: THOUGHTS }, () => ({ type: 'text-delta', id: '1', delta: 'a thought ' })),
  { type: 'text-end', id: '1' },
  { type: 'finish', finishReason: { unified: 'stop', raw: 'stop' }, usage },
];
const model = {
  specificationVersion: 'v4',
  provider: 'scripted',
  modelId: 'scripted',
  supportedUrls: {},
  async doGenerate() {
    throw new Error('streams only');
  },
  doStream: async () => ({ stream: ReadableStream.from(PARTS) }),
};
const agent = new ToolLoopAgent({ model, instructions: 'sys' });

export async function carryOut(text, think) {
  const result = await agent.stream({ prompt: text });
  for await (const _ of result.textStream) think();
}
