import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { resolve } from 'node:path';

/** The built server in a process of its own, started as people start it; it can be killed for real. */
export class CarrelProcess {
  readonly output: string[] = [];

  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
  ) {}

  /** Resolves when the server has said where it listens. */
  static async start(dataDir: string, options: { agents?: string; env?: Record<string, string> } = {}): Promise<CarrelProcess> {
    const args = ['dist/main.js', 'start', '--port', '0', '--data', dataDir];
    if (options.agents) args.push('--agents', resolve(options.agents));
    const child = spawn(process.execPath, args, {
      env: { PATH: process.env.PATH, CARREL_LOG_LEVEL: 'warn', CARREL_USER_STARTS_PER_MINUTE: '1000000', ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const said: string[] = [];
    const url = await new Promise<string>((found, failed) => {
      for (const stream of [child.stdout, child.stderr]) {
        createInterface({ input: stream! }).on('line', (line) => {
          said.push(line);
          const address = /listens on (http:\/\/\S+)/.exec(line)?.[1];
          if (address) found(address);
        });
      }
      child.once('exit', (code, signal) => failed(new Error(`the server ended (${code ?? signal}): ${said.join('\n')}`)));
    });
    const server = new CarrelProcess(child, url);
    server.output.push(...said);
    return server;
  }

  /** kill -9 */
  async kill(): Promise<void> {
    const exited = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await exited;
  }

  /** SIGTERM, and the exit code that it leads to. */
  async stop(): Promise<number | null> {
    if (this.child.exitCode !== null) return this.child.exitCode;
    const exited = once(this.child, 'exit') as Promise<[number | null]>;
    this.child.kill('SIGTERM');
    return (await exited)[0];
  }
}
