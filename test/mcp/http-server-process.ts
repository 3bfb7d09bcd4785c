import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** An MCP server over HTTP that is a process of its own, on a free port. */
export class HttpServerProcess implements AsyncDisposable {
  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
  ) {}

  /** @param args of Node; the port is in `PORT`. It has to write a line with "listening" to stderr. */
  static async start(args: readonly string[], env: Record<string, string> = {}): Promise<HttpServerProcess> {
    const port = await freePort();
    const child = spawn(process.execPath, args, {
      env: { PATH: process.env.PATH, PORT: String(port), ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const listening = Promise.withResolvers<void>();
    child.stderr.on('data', (text: Buffer) => /listening/i.test(text.toString()) && listening.resolve());
    child.once('exit', (code) => listening.reject(new Error(`the server ended with ${code}`)));
    await listening.promise;
    return new HttpServerProcess(child, `http://127.0.0.1:${port}/mcp`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await gone;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
