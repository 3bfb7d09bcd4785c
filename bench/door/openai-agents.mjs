/** OpenAI's agents SDK with a model that answers at once, in pieces; each piece is a thought. */
import { Agent, Runner } from '@openai/agents';
import { THOUGHTS } from './thoughts.mjs';

const DELTA = { type: 'output_text_delta', delta: 'a thought ' };
const CONTENT = [{ type: 'output_text', text: DELTA.delta.repeat(THOUGHTS) }];
const model = {
  async getResponse() {
    throw new Error('streams only');
  },
  async *getStreamedResponse() {
    yield { type: 'response_started' };
    for (let i = 0; i < THOUGHTS; i++) yield DELTA;
    const usage = { inputTokens: 20, outputTokens: 10, totalTokens: 30 };
    const output = [{ type: 'message', role: 'assistant', status: 'completed', content: CONTENT }];
    yield { type: 'response_done', response: { id: 'r', usage, output } };
  },
};
const agent = new Agent({ name: 'thinker', instructions: 'sys', model });
const runner = new Runner({ tracingDisabled: true });

export async function carryOut(text, think) {
  const result = await runner.run(agent, text, { stream: true });
  for await (const event of result) {
    if (event.type === 'raw_model_stream_event' && event.data.type === 'output_text_delta') think();
  }
  await result.completed;
}
