import { Inject, Injectable } from '@nestjs/common';
import type { ToolDefinition } from '../../../agents/tools/tool-definition.js';
import { CARREL_CONFIG, type CarrelConfig } from '../../../config/config.js';
import type { UserExecutionContext } from '../../../context/user-execution-context.js';
import { CarrelError, isCarrelError } from '../../../shared/errors.js';
import type { HeldBackTool } from '../../tools/tool-source.port.js';
import { McpPool } from '../mcp-pool.service.js';
import type { ListedTool } from '../session/listed-tool.js';
import { readLockFile, writeLockFile, type AcceptedHashes } from './lock-file.js';

/** One server's tools now, beside what was accepted of it. */
export interface ReviewedServer {
  readonly server: string;
  readonly tools: readonly ReviewedTool[];
  /** Tools that nobody can call, whether they are accepted or not. */
  readonly invalid: readonly HeldBackTool[];
  /** Accepted, and not there any more. */
  readonly gone: readonly string[];
  /** Why nothing is known of it. */
  readonly error?: string;
}

export interface ReviewedTool {
  readonly definition: ToolDefinition;
  readonly state: 'accepted' | 'new' | 'changed';
}

/** What the operator does about the tools of the servers: looks at them, and accepts them as they are. */
@Injectable()
export class ToolReview {
  constructor(
    private readonly pool: McpPool,
    @Inject(CARREL_CONFIG) private readonly config: CarrelConfig,
  ) {}

  /**
   * @param only the one server to look at; undefined: all
   * @throws CarrelError `not_found` | `invalid_config`
   */
  async review(context: UserExecutionContext, only?: string): Promise<ReviewedServer[]> {
    const lock = this.lock() ?? new Map();
    return (await this.listed(context, only)).map((listed) => reviewed(listed, lock.get(listed.server)));
  }

  /**
   * Accepts what the servers list for this user now. One that can't be reached stays as it was.
   *
   * @returns what it was before
   */
  async accept(context: UserExecutionContext, only?: string): Promise<ReviewedServer[]> {
    const lock = this.lock();
    const listed = await this.listed(context, only);
    const accepted = new Map(lock);
    for (const { server, tools, error } of listed) {
      if (error === undefined)
        accepted.set(server, new Map(tools.map(({ definition, hash }) => [definition.tool, hash])));
    }
    const names = new Set(this.config.mcp.servers.map(({ name }) => name));
    for (const server of accepted.keys()) if (!names.has(server)) accepted.delete(server);
    await writeLockFile(this.file, accepted);
    return listed.map((one) => reviewed(one, lock?.get(one.server)));
  }

  private get file(): string {
    const { lockFile } = this.config.mcp;
    if (lockFile) return lockFile;
    throw new CarrelError('invalid_config', 'there are no MCP servers: CARREL_MCP_FILE names the file that has them');
  }

  private lock(): AcceptedHashes | undefined {
    return readLockFile(this.file);
  }

  private async listed(context: UserExecutionContext, only: string | undefined): Promise<Listed[]> {
    const servers = this.config.mcp.servers.map(({ name }) => name);
    if (only !== undefined && !servers.includes(only)) {
      throw new CarrelError(
        'not_found',
        `there is no MCP server "${only}" in CARREL_MCP_FILE; there are ${servers.join(', ')}`,
      );
    }
    return await Promise.all(
      servers.filter((name) => only === undefined || name === only).map((name) => this.list(context, name)),
    );
  }

  private async list(context: UserExecutionContext, server: string): Promise<Listed> {
    try {
      const use = this.pool.use(context, server, context.signal, ({ session }) => session.listTools());
      return { server, ...(await use) };
    } catch (error) {
      return {
        server,
        tools: [],
        invalid: [],
        error: isCarrelError(error) ? error.message : 'its tools can not be listed',
      };
    }
  }
}

interface Listed {
  readonly server: string;
  readonly tools: readonly ListedTool[];
  readonly invalid: readonly HeldBackTool[];
  readonly error?: string;
}

function reviewed(
  { server, tools, invalid, error }: Listed,
  accepted: ReadonlyMap<string, string> = new Map(),
): ReviewedServer {
  const there = new Set(tools.map(({ definition }) => definition.tool));
  const gone = error === undefined ? [...accepted.keys()].filter((name) => !there.has(name)) : [];
  const states = tools.map(({ definition, hash }): ReviewedTool => {
    const known = accepted.get(definition.tool);
    return { definition, state: known === hash ? 'accepted' : known === undefined ? 'new' : 'changed' };
  });
  return { server, tools: states, invalid, gone, error };
}
