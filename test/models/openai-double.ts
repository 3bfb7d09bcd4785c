import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

/** What an OpenAI-compatible server is asked: the parts that tests look at. */
export interface ChatRequest {
  model: string;
  messages: ChatMessage[];
  tools?: { type: 'function'; function: { name: string; description?: string; parameters: unknown } }[];
  tool_choice?: string;
  response_format?: { type: string; json_schema?: unknown };
  max_tokens?: number;
  temperature?: number;
  stop?: string[];
}

export interface ChatMessage {
  role: 'system' | 'user' | 'assistant' | 'tool';
  content: string | null;
  reasoning_content?: string;
  tool_calls?: { id: string; function: { name: string; arguments: string } }[];
  tool_call_id?: string;
}

/** How one request is answered. */
export type ChatReply =
  | { status: number; headers?: Record<string, string>; error?: string; body?: string }
  | {
      text?: string | readonly string[];
      reasoning?: string;
      calls?: readonly { id?: string; name: string; arguments: unknown }[];
      finish?: string;
      usage?: { prompt: number; completion: number; cached?: number; reasoning?: number } | null;
      /** All of it waits for it, the head of the response too. */
      late?: Promise<unknown>;
      /** What comes after the first chunk waits for it. */
      hold?: Promise<unknown>;
      /** Ends the stream after what it has said: `reset` by breaking the connection, `eof` in order, `error` by saying so. */
      cut?: 'reset' | 'eof' | 'error';
    };

/** One request that has come, and what became of it. */
export interface SeenRequest {
  readonly body: ChatRequest;
  readonly headers: IncomingHttpHeaders;
  readonly url: string;
  /** Of its arrival, in milliseconds. */
  readonly atMs: number;
  /** Resolves when the response is over; true when the client has closed the connection before its end. */
  readonly over: Promise<boolean>;
}

const USAGE = { prompt: 20, completion: 10 };

/** A server that speaks OpenAI's chat completions on the wire, streaming only. It says what the test tells it to. */
export class OpenAiDouble implements AsyncDisposable {
  readonly seen: SeenRequest[] = [];
  private readonly waiting = new Set<() => void>();

  private constructor(
    private readonly server: Server,
    /** Says what to answer; set anew by each test. */
    public answer: (body: ChatRequest, request: SeenRequest) => ChatReply,
  ) {}

  static async start(answer: (body: ChatRequest, request: SeenRequest) => ChatReply): Promise<OpenAiDouble> {
    const server = createServer();
    const double = new OpenAiDouble(server, answer);
    server.on('request', (request, response) => void double.serve(request, response));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return double;
  }

  get baseURL(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/v1`;
  }

  /** Resolves with the first request, past or future, that fits. */
  request(fits: (request: SeenRequest) => boolean): Promise<SeenRequest> {
    return new Promise((resolve) => {
      const look = () => {
        const found = this.seen.find(fits);
        if (!found) return;
        this.waiting.delete(look);
        resolve(found);
      };
      this.waiting.add(look);
      look();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const over = Promise.withResolvers<boolean>();
    response.once('close', () => over.resolve(!response.writableFinished));
    const seen: SeenRequest = {
      body: JSON.parse(text) as ChatRequest,
      headers: request.headers,
      url: request.url ?? '',
      atMs: performance.now(),
      over: over.promise,
    };
    this.seen.push(seen);
    const reply = this.answer(seen.body, seen);
    for (const look of this.waiting) look();
    if ('status' in reply) refuse(response, reply);
    else await stream(response, reply);
  }
}

function refuse(response: ServerResponse, reply: Extract<ChatReply, { status: number }>): void {
  const { status, headers = {}, error = 'refused' } = reply;
  const body = reply.body ?? JSON.stringify({ error: { message: error, type: 'error', param: null, code: null } });
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
}

async function stream(response: ServerResponse, reply: Exclude<ChatReply, { status: number }>): Promise<void> {
  const { text = [], reasoning, calls = [], usage = USAGE, late, hold, cut } = reply;
  await late;
  const send = (data: object | string) =>
    response.write(`data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`);
  const say = (delta: object, finish: string | null = null) =>
    send({ ...FRAME, choices: [{ index: 0, delta, finish_reason: finish }] });
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  say({ role: 'assistant', content: '' });
  const words = typeof text === 'string' ? [text] : text;
  if (reasoning !== undefined) say({ reasoning_content: reasoning });
  for (const [i, word] of words.entries()) {
    say({ content: word });
    if (i === 0) await hold;
  }
  if (words.length === 0) await hold;
  for (const [index, { id = `call_${index}`, name, arguments: args }] of calls.entries()) {
    const written = typeof args === 'string' ? args : JSON.stringify(args);
    const half = Math.ceil(written.length / 2);
    say({ tool_calls: [{ index, id, type: 'function', function: { name, arguments: written.slice(0, half) } }] });
    say({ tool_calls: [{ index, function: { arguments: written.slice(half) } }] });
  }
  if (cut === 'reset') {
    await new Promise((resolve) => response.write(': \n\n', resolve)); // what was said must be on its way before
    setImmediate(() => response.socket?.resetAndDestroy());
    return;
  }
  if (cut === 'error') send({ error: { message: 'The server had an error', type: 'server_error', code: null } });
  if (cut === undefined) {
    say({}, reply.finish ?? (calls.length > 0 ? 'tool_calls' : 'stop'));
    if (usage) send({ ...FRAME, choices: [], usage: wireUsage(usage) });
    send('[DONE]');
  }
  response.end();
}

const FRAME = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1_700_000_000, model: 'double' };

function wireUsage(usage: { prompt: number; completion: number; cached?: number; reasoning?: number }) {
  const { prompt, completion, cached = 0, reasoning = 0 } = usage;
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: cached },
    completion_tokens_details: { reasoning_tokens: reasoning },
  };
}
