import { Module, type Type } from '@nestjs/common';
import type { ToolDefinition, ToolRef } from '../../src/agents/tools/tool-definition.js';
import type { ToolResult } from '../../src/agents/tools/tool-result.js';
import type { UserExecutionContext } from '../../src/context/user-execution-context.js';
import {
  TOOL_SOURCES,
  type ToolInvocation,
  type ToolListing,
  type ToolSource,
} from '../../src/execution/tools/tool-source.port.js';
import { CarrelError } from '../../src/shared/errors.js';
import type { JsonObject } from '../../src/shared/json.js';

interface OtherTool extends Partial<ToolDefinition> {
  tool: string;
  does?: (context: UserExecutionContext, args: JsonObject, call: ToolInvocation) => Promise<ToolResult> | ToolResult;
}

/** What a server has for a user. */
export type OtherServer = (user: string) => OtherTool[] | 'down' | 'mute' | Partial<ToolListing>;

/** A source of tools beside the application's own, with servers that the test stages. */
export class OtherTools implements ToolSource {
  /** Who has asked which server for its tools. */
  readonly asked: string[] = [];

  constructor(private readonly staged: Readonly<Record<string, OtherServer>>) {}

  servers(): readonly string[] {
    return Object.keys(this.staged);
  }

  async list({ userId }: UserExecutionContext, server: string, signal: AbortSignal): Promise<ToolListing> {
    this.asked.push(`${userId} ${server}`);
    const has = this.staged[server]!(userId);
    if (has === 'down') throw new CarrelError('mcp_unavailable', `${server} is down`, { retryAfterMs: 1_000 });
    if (has === 'mute')
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
    if (!Array.isArray(has)) return { tools: [], heldBack: [], ...has };
    return { tools: has.map((tool) => definitionOf(server, tool)), heldBack: [] };
  }

  async call(context: UserExecutionContext, { server, tool }: ToolRef, args: JsonObject, call: ToolInvocation) {
    const has = this.staged[server]!(context.userId) as OtherTool[];
    const { does = () => textResult(`${tool} for ${context.userId}`) } = has.find((one) => one.tool === tool)!;
    return does(context, args, call);
  }
}

/** A module that brings a source along, as a module with MCP servers does. */
export function moduleWith(source: ToolSource): Type {
  @Module({ providers: [{ provide: TOOL_SOURCES, useValue: source }] })
  class OtherToolsModule {}
  return OtherToolsModule;
}

export function textResult(text: string): ToolResult {
  return { text, content: [{ type: 'text', text }] };
}

function definitionOf(server: string, staged: OtherTool): ToolDefinition {
  const tool: Partial<OtherTool> & { tool: string } = { ...staged };
  delete tool.does;
  return {
    server,
    description: tool.tool,
    inputSchema: { type: 'object' },
    effect: 'read',
    destructive: false,
    openWorld: false,
    ...tool,
  };
}
