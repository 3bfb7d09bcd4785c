/** The same model for everybody: it calls the tool `add` once, then says ten words, without any delay. */
export const WORDS = Array.from({ length: 10 }, (_, i) => `word${i} `);
export const TEXT = WORDS.join('');
export const ARGUMENTS = { a: 1, b: 2 };

export const usage = {
  inputTokens: { total: 20, noCache: 20, cacheRead: undefined, cacheWrite: undefined },
  outputTokens: { total: 10, text: 10, reasoning: undefined },
};

const ANSWER = [
  { type: 'stream-start', warnings: [] },
  { type: 'text-start', id: '1' },
  ...WORDS.map((delta) => ({ type: 'text-delta', id: '1', delta })),
  { type: 'text-end', id: '1' },
  { type: 'finish', finishReason: { unified: 'stop', raw: 'stop' }, usage },
];

const CALL = { type: 'tool-call', toolCallId: 'c1', toolName: 'add', input: JSON.stringify(ARGUMENTS) };
const TOOL_TURN = [
  { type: 'stream-start', warnings: [] },
  { type: 'tool-input-start', id: 'c1', toolName: 'add' },
  { type: 'tool-input-delta', id: 'c1', delta: CALL.input },
  { type: 'tool-input-end', id: 'c1' },
  CALL,
  { type: 'finish', finishReason: { unified: 'tool-calls', raw: 'tool_calls' }, usage },
];

const isSecond = ({ prompt }) => prompt.at(-1).role === 'tool';

/** For whoever speaks the AI SDK's interface of models. */
export const model = {
  specificationVersion: 'v4',
  provider: 'scripted',
  modelId: 'scripted',
  supportedUrls: {},
  async doGenerate(options) {
    const facts = { usage, warnings: [] };
    if (isSecond(options))
      return { ...facts, content: [{ type: 'text', text: TEXT }], finishReason: { unified: 'stop' } };
    return { ...facts, content: [CALL], finishReason: { unified: 'tool-calls' } };
  },
  async doStream(options) {
    options.abortSignal?.throwIfAborted();
    const parts = isSecond(options) ? ANSWER : TOOL_TURN;
    return {
      stream: new ReadableStream({
        start(controller) {
          for (const part of parts) controller.enqueue(part);
          controller.close();
        },
      }),
    };
  },
};

export const ADD_SCHEMA = {
  type: 'object',
  properties: { a: { type: 'number' }, b: { type: 'number' } },
  required: ['a', 'b'],
  additionalProperties: false,
};
