// A server of the stateless protocol (2026-07-28), made with the SDK: over stdio, or over HTTP on PORT.
import { acceptedContent, createMcpHandler, inputRequired, McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { createServer } from 'node:http';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { z } from 'zod';

/** How many calls were cancelled, as the server hears it. */
let cancelled = 0;
const words = (text: string) => ({ content: [{ type: 'text' as const, text }] });
const read = { readOnlyHint: true };

function server(): McpServer {
  const made = new McpServer(
    { name: 'modern', version: '1' },
    { capabilities: { logging: {}, tools: { listChanged: true } } },
  );
  made.registerTool('echo', { inputSchema: z.object({ text: z.string() }), annotations: read }, async ({ text }) =>
    words(text),
  );
  made.registerTool('cancelled', { inputSchema: z.object({}), annotations: read }, async () =>
    words(String(cancelled)),
  );
  made.registerTool('book', { inputSchema: z.object({}) }, async (_input, { mcpReq }) => {
    const asked = mcpReq.requestState<string>();
    const guests = acceptedContent(mcpReq.inputResponses, 'guests', z.object({ n: z.number() }));
    const name = acceptedContent(mcpReq.inputResponses, 'name', z.object({ name: z.string() }));
    if (name) return words(`booked for ${name.name} and ${asked}`);
    if (!guests) return inputRequired({ inputRequests: { guests: ask('How many?', 'n', 'number') } });
    const inputRequests = { name: ask(`Who of the ${guests.n}?`, 'name', 'string') };
    return inputRequired({ inputRequests, requestState: String(guests.n - 1) });
  });
  made.registerTool('ask', { inputSchema: z.object({}) }, async (_input, { mcpReq }) => {
    const answers = mcpReq.inputResponses as Record<string, { action?: string }> | undefined;
    if (answers?.sure) return words(`the answer: ${answers.sure.action}`);
    return inputRequired({ inputRequests: { sure: ask('Sure?', 'sure', 'boolean') } });
  });
  made.registerTool(
    'work',
    { inputSchema: z.object({ ms: z.number() }), annotations: read },
    async ({ ms }, { mcpReq }) => {
      const count = () => (cancelled += 1);
      mcpReq.signal.addEventListener('abort', count);
      const progressToken = mcpReq._meta?.progressToken;
      for (let i = 1; i <= 4 && !mcpReq.signal.aborted; i++) {
        await new Promise((resolve) => setTimeout(resolve, ms / 4));
        if (progressToken === undefined) continue;
        await mcpReq.notify({
          method: 'notifications/progress',
          params: { progressToken, progress: i, total: 4, message: `part ${i}` },
        });
      }
      mcpReq.signal.removeEventListener('abort', count);
      return words('worked');
    },
  );
  return made;
}

function ask(message: string, key: string, type: 'number' | 'string' | 'boolean') {
  const requestedSchema = {
    type: 'object' as const,
    properties: { [key]: { type } as { type: 'string' } },
    required: [key],
  };
  return inputRequired.elicit({ message, requestedSchema });
}

if (!process.env.PORT) serveStdio(server);
else {
  const handler = createMcpHandler(server);
  createServer((request, response) => {
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    const body = request.method === 'GET' ? undefined : (Readable.toWeb(request) as ReadableStream);
    const init = { method: request.method, headers: request.headers, body, duplex: 'half', signal: gone.signal };
    void handler.fetch(new Request(`http://127.0.0.1${request.url}`, init as unknown as RequestInit)).then((answer) => {
      response.writeHead(answer.status, Object.fromEntries(answer.headers));
      if (!answer.body) return response.end();
      return Readable.fromWeb(answer.body as ReadableStream)
        .on('error', () => undefined)
        .pipe(response);
    });
  }).listen(Number(process.env.PORT), '127.0.0.1', () => console.error('listening'));
}
