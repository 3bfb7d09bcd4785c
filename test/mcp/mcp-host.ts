import { Global, Module } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { CARREL_CONFIG, type CarrelConfig } from '../../src/config/config.js';
import { loadConfig } from '../../src/config/load-config.js';
import { UserExecutionContext } from '../../src/context/user-execution-context.js';
import { McpModule } from '../../src/execution/mcp/mcp.module.js';
import { McpPool } from '../../src/execution/mcp/mcp-pool.service.js';
import { CLOCK, systemClock, type Clock } from '../../src/shared/clock.js';
import { newId, type UserId } from '../../src/shared/ids.js';

const require = createRequire(import.meta.url);

/** How one of the public servers is started, as it would stand in `mcp.json`. */
export function publicServer(name: 'everything' | 'filesystem' | 'memory', ...args: string[]) {
  const main = join(dirname(require.resolve(`@modelcontextprotocol/server-${name}/package.json`)), 'dist', 'index.js');
  return { command: process.execPath, args: [main, ...args] };
}

/** The real pool in a small Nest application, with an `mcp.json` of its own. */
export class McpHost implements AsyncDisposable {
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
    app.useLogger(false);
    return new McpHost(await app.init(), config, folder);
  }

  get pool(): McpPool {
    return this.app.get(McpPool);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.app.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}

export function contextOf(userId: string, claims: Record<string, string> = {}): UserExecutionContext {
  return new UserExecutionContext({ userId: userId as UserId, requestId: newId('req'), createdAtMs: 0, claims });
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
