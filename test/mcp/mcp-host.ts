import { Global, Module } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { CARREL_CONFIG, type CarrelConfig } from '../../src/config/config.js';
import { loadConfig } from '../../src/config/load-config.js';
import { UserExecutionContext } from '../../src/context/user-execution-context.js';
import type { McpConnection } from '../../src/execution/mcp/mcp-connection.js';
import { McpModule } from '../../src/execution/mcp/mcp.module.js';
import { McpPool } from '../../src/execution/mcp/mcp-pool.service.js';
import type { McpServerState } from '../../src/execution/mcp/mcp-server-state.js';
import { CLOCK, systemClock, type Clock } from '../../src/shared/clock.js';
import { newId, type UserId } from '../../src/shared/ids.js';

const require = createRequire(import.meta.url);

/** How one of the public servers is started, as it would stand in `mcp.json`. */
export function publicServer(name: 'everything' | 'filesystem' | 'memory', ...args: string[]) {
  const main = join(dirname(require.resolve(`@modelcontextprotocol/server-${name}/package.json`)), 'dist', 'index.js');
  return { command: process.execPath, args: [main, ...args] };
}

/** A server that misbehaves as it is told. */
export function handMade(...args: string[]) {
  return { command: process.execPath, args: [resolve('test/fixtures/mcp-process.mjs'), ...args] };
}

/** What a hand-made server says of its process. */
export interface ProcessFacts {
  pid: number;
  grandchild?: number;
  cwd: string;
  env: Record<string, string>;
  args: string[];
}

/** The real pool in a small Nest application, with an `mcp.json` of its own. */
export class McpHost implements AsyncDisposable {
  /** What was logged about servers, as it was given to the logger. */
  readonly logged: { userId?: string; mcpServer?: string; line?: string }[] = [];

  private constructor(
    private readonly app: TestingModule,
    readonly config: CarrelConfig,
    private readonly folder: string,
  ) {}

  static async boot(
    mcpServers: Record<string, unknown>,
    { env = {}, clock = systemClock }: { env?: Record<string, string>; clock?: Clock } = {},
  ): Promise<McpHost> {
    const folder = await mkdtemp(join(tmpdir(), 'carrel-mcp-'));
    const file = join(folder, 'mcp.json');
    await writeFile(file, JSON.stringify({ mcpServers }));
    const config = loadConfig({ CARREL_DATA_DIR: join(folder, 'data'), CARREL_MCP_FILE: file, ...env });
    const app = await Test.createTestingModule({ imports: [McpModule, platformOf(config, clock)] }).compile();
    const host = new McpHost(app, config, folder);
    const keep = (facts: unknown) => void host.logged.push(facts as McpHost['logged'][number]);
    app.useLogger({ log() {}, debug: keep, warn: keep, error: keep });
    await app.init();
    return host;
  }

  get pool(): McpPool {
    return this.app.get(McpPool);
  }

  use<T>(context: UserExecutionContext, server: string, work: (connection: McpConnection) => Promise<T>): Promise<T> {
    return this.pool.use(context, server, AbortSignal.timeout(20_000), work);
  }

  /** Calls a tool of a hand-made server that answers with plain data. */
  call<T = ProcessFacts>(context: UserExecutionContext, server: string, name = 'facts', args = {}): Promise<T> {
    return this.use(context, server, async ({ client }) => {
      const { content } = await client.callTool({ name, arguments: args });
      return JSON.parse((content[0] as { text: string }).text) as T;
    });
  }

  /** Work that uses a connection until it is let go. */
  async hold(context: UserExecutionContext, server: string): Promise<{ letGo(): Promise<void> }> {
    const begun = Promise.withResolvers<void>();
    const end = Promise.withResolvers<void>();
    const done = this.use(context, server, () => {
      begun.resolve();
      return end.promise;
    });
    await Promise.race([begun.promise, done]);
    return {
      letGo() {
        end.resolve();
        return done;
      },
    };
  }

  state(context: UserExecutionContext, server: string): McpServerState {
    return this.pool.states(context).find(({ name }) => name === server)!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.app.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}

export function contextOf(userId: string, claims: Record<string, string> = {}): UserExecutionContext {
  return new UserExecutionContext({ userId: userId as UserId, requestId: newId('req'), createdAtMs: 0, claims });
}

/** Whether there is such a process; one that has ended and that nobody has asked for yet is none. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** Resolves when `look` is true; rejects after 10 s. Looks again in every turn of the event loop that has something to do. */
export async function until(look: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!look()) {
    if (performance.now() > deadline) throw new Error('waited in vain');
    await new Promise((next) => setTimeout(next, 5));
  }
}

function platformOf(config: CarrelConfig, clock: Clock) {
  @Global()
  @Module({
    providers: [
      { provide: CARREL_CONFIG, useValue: config },
      { provide: CLOCK, useValue: clock },
    ],
    exports: [CARREL_CONFIG, CLOCK],
  })
  class PlatformModule {}
  return PlatformModule;
}
