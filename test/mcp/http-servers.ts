import { spawn } from 'node:child_process';
import { createServer, request, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { publicServer } from './mcp-host.js';

interface Seen {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  /** Of the client's socket: another port is another connection. */
  port: number;
}

type Answer = (req: IncomingMessage, res: ServerResponse, body: string, seen: Seen) => void;

/** An HTTP server on a free port that keeps what it was asked. */
export class RecordingServer implements AsyncDisposable {
  readonly seen: Seen[] = [];
  private readonly server;

  private constructor(answer: Answer) {
    this.server = createServer((req, res) => {
      const { method = '', url = '', headers, socket } = req;
      const seen = { method, path: url, headers, port: socket.remotePort! };
      this.seen.push(seen);
      let body = '';
      req.on('data', (chunk: Buffer) => (body += chunk.toString()));
      req.on('end', () => answer(req, res, body, seen));
    });
  }

  static async start(answer: Answer): Promise<RecordingServer> {
    const recording = new RecordingServer(answer);
    await new Promise<void>((resolve) => recording.server.listen(0, '127.0.0.1', resolve));
    return recording;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  of(header: string, value: string): Seen[] {
    return this.seen.filter(({ headers }) => headers[header] === value);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** `server-everything` over HTTP, behind a proxy that keeps what it was asked. */
export async function everythingOverHttp(): Promise<RecordingServer> {
  const free = await RecordingServer.start(() => {});
  const { port } = new URL(free.url);
  await free[Symbol.asyncDispose]();
  const { command, args } = publicServer('everything', 'streamableHttp');
  const child = spawn(command, args, { env: { ...process.env, PORT: port }, stdio: ['ignore', 'ignore', 'pipe'] });
  await new Promise<void>((resolve, reject) => {
    child.stderr.on('data', (text: Buffer) => text.toString().includes('listening') && resolve());
    child.once('exit', () => reject(new Error('server-everything has ended')));
  });
  const proxy = await RecordingServer.start((req, res, body) => {
    const onward = request({ host: '127.0.0.1', port, path: req.url, method: req.method, headers: req.headers });
    onward.on('response', (answer) => {
      res.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(res);
    });
    onward.on('error', () => res.destroy());
    res.on('close', () => onward.destroy());
    onward.end(body);
  });
  const dispose = proxy[Symbol.asyncDispose].bind(proxy);
  proxy[Symbol.asyncDispose] = async () => {
    child.kill('SIGKILL');
    await dispose();
  };
  return proxy;
}

/** A server with a session, whose tools misbehave: `calls` says how each of them answers. */
export function handMadeOverHttp(
  calls: Record<string, (res: ServerResponse, id: unknown) => void>,
  sessions = { known: true },
): Promise<RecordingServer> {
  return RecordingServer.start((req, res, body) => {
    if (req.method !== 'POST') return void res.writeHead(req.method === 'DELETE' ? 200 : 405).end();
    const { id, method, params } = JSON.parse(body) as { id?: unknown; method: string; params?: { name?: string } };
    const isNew = method === 'initialize' || method === 'server/discover';
    if (!isNew && !sessions.known) return void res.writeHead(404).end();
    if (id === undefined) return void res.writeHead(202).end();
    if (method === 'server/discover') return void res.writeHead(404).end();
    if (method === 'tools/call') return calls[params!.name!]!(res, id);
    const result = {
      protocolVersion: '2025-11-25',
      capabilities: { tools: {} },
      serverInfo: { name: 'h', version: '1' },
    };
    res.writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': `session-${Math.random()}` });
    res.end(JSON.stringify({ jsonrpc: '2.0', id, result }));
  });
}
