import { Module, type Type } from '@nestjs/common';
import type { ToolDefinition, ToolRef } from '../../src/agents/tools/tool-definition.js';
import type { ToolResult } from '../../src/agents/tools/tool-result.js';
import type { UserExecutionContext } from '../../src/context/user-execution-context.js';
import { TOOL_SOURCES, type ToolListing, type ToolSource } from '../../src/execution/tools/tool-source.port.js';
import { CarrelError } from '../../src/shared/errors.js';
import type { JsonObject } from '../../src/shared/json.js';

interface KeptCall extends ToolRef {
  readonly userId: string;
  readonly arguments: JsonObject;
}

/** Offers real definitions, keeps each call that reaches a tool, and answers with a text, or fails where it is told to. */
export class RecordingSource implements ToolSource {
  readonly calls: KeptCall[] = [];
  /** Names of tools that fail. */
  readonly failing = new Set<string>();
  /** By user, what is left out of the list. */
  readonly hidden = new Map<string, (tool: ToolDefinition) => boolean>();

  constructor(private readonly tools: readonly ToolDefinition[]) {}

  servers(): readonly string[] {
    return [...new Set(this.tools.map(({ server }) => server))];
  }

  list({ userId }: UserExecutionContext, server: string): Promise<ToolListing> {
    const isHidden = this.hidden.get(userId) ?? (() => false);
    return Promise.resolve({
      tools: this.tools.filter((tool) => tool.server === server && !isHidden(tool)),
      heldBack: [],
    });
  }

  call({ userId }: UserExecutionContext, { server, tool }: ToolRef, args: JsonObject): Promise<ToolResult> {
    this.calls.push({ userId, server, tool, arguments: args });
    if (this.failing.has(tool)) return Promise.reject(new CarrelError('tool_failed', `${tool} is out of order`));
    const text = `${tool} for ${userId}`;
    return Promise.resolve({ text, content: [{ type: 'text', text }] });
  }

  get module(): Type {
    @Module({ providers: [{ provide: TOOL_SOURCES, useValue: this }] })
    class SourceModule {}
    return SourceModule;
  }
}
