import type { Client } from '@modelcontextprotocol/client';
import { z } from 'zod';
import type { Clock } from '../../../shared/clock.js';
import { CarrelError } from '../../../shared/errors.js';
import type { HeldBackTool } from '../../tools/tool-source.port.js';
import { listedTool, type ListedTool } from './listed-tool.js';

const MAX_PAGES = 16;
const MAX_TOOLS = 512;
/** Of all definitions together. */
const MAX_BYTES = 1024 * 1024;
/** A list is asked for again after so long, whether the server says that it has changed or not. */
const MAX_AGE_MS = 5 * 60_000;

/** Each tool is looked at by itself: one that is described wrongly must not take the others with it. */
const PAGE = z.object({ tools: z.array(z.unknown()), nextCursor: z.string().optional() });

/** What a server lists. */
export interface ListedTools {
  readonly tools: readonly ListedTool[];
  readonly invalid: readonly HeldBackTool[];
}

/** The tools of one connection, so of one user: asked for once, and again when the server says that they have changed. */
export class ToolList {
  private known: { readonly atMs: number; readonly list: ListedTools } | undefined;
  private asked: Promise<ListedTools> | undefined;
  private version = 0;

  constructor(
    private readonly client: Client,
    private readonly server: string,
    private readonly clock: Clock,
    private readonly timeoutMs: number,
  ) {}

  /** Costs nothing, however often a server says so. */
  forget(): void {
    this.version += 1;
    this.known = undefined;
  }

  /**
   * Whoever asks at the same time has the same answer.
   *
   * @throws CarrelError `mcp_unavailable` when the list is beyond its bounds; what the SDK throws
   */
  async get(): Promise<ListedTools> {
    if (this.known && this.clock.now() - this.known.atMs < MAX_AGE_MS) return this.known.list;
    this.asked ??= this.ask().finally(() => (this.asked = undefined));
    return await this.asked;
  }

  private async ask(): Promise<ListedTools> {
    const { version } = this;
    const list = await this.fetch();
    if (version === this.version) this.known = { atMs: this.clock.now(), list };
    return list;
  }

  private async fetch(): Promise<ListedTools> {
    const tools: ListedTool[] = [];
    const invalid: HeldBackTool[] = [];
    if (!this.client.getServerCapabilities()?.tools) return { tools, invalid };
    let bytes = 0;
    let cursor: string | undefined;
    for (let page = 1; page === 1 || cursor !== undefined; page += 1) {
      if (page > MAX_PAGES) throw tooMuch(`${MAX_PAGES} pages`);
      const request = { method: 'tools/list' as const, params: cursor === undefined ? {} : { cursor } };
      const answer = await this.client.request(request, PAGE, { timeout: this.timeoutMs });
      cursor = answer.nextCursor;
      bytes += Buffer.byteLength(JSON.stringify(answer.tools));
      if (bytes > MAX_BYTES) throw tooMuch(`${MAX_BYTES} bytes`);
      for (const raw of answer.tools) {
        const tool = listedTool(this.server, raw);
        if ('code' in tool) invalid.push(tool);
        else tools.push(tool);
      }
      if (tools.length + invalid.length > MAX_TOOLS) throw tooMuch(`${MAX_TOOLS} tools`);
    }
    return { tools, invalid };
  }
}

function tooMuch(limit: string): CarrelError {
  return new CarrelError('mcp_unavailable', `its list of tools has more than ${limit}`, { retryable: false });
}
