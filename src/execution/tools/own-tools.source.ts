import { Injectable } from '@nestjs/common';
import type { InputIssue } from '../../agents/input-reader.js';
import type { AgentToolCall } from '../../agents/tools/agent-tool-call.js';
import { AgentToolInvoker } from '../../agents/tools/agent-tool-invoker.service.js';
import { AgentToolRegistry } from '../../agents/tools/agent-tool-registry.service.js';
import type { OwnTool } from '../../agents/tools/define-agent-tool.js';
import { OWN_TOOLS, type ToolRef } from '../../agents/tools/tool-definition.js';
import type { ToolResult } from '../../agents/tools/tool-result.js';
import type { UserExecutionContext } from '../../context/user-execution-context.js';
import { CarrelError } from '../../shared/errors.js';
import type { JsonObject, JsonValue } from '../../shared/json.js';
import { invalidArguments, invalidResult } from './tool-failures.js';
import { resultOfValue } from './tool-record.js';
import type { ToolInvocation, ToolListing, ToolSource } from './tool-source.port.js';

/** The application's own tools, those with `@AgentTool`. */
@Injectable()
export class OwnTools implements ToolSource {
  private listing: Promise<ToolListing> | undefined;

  constructor(
    private readonly registry: AgentToolRegistry,
    private readonly invoker: AgentToolInvoker,
  ) {}

  servers(): readonly string[] {
    return [OWN_TOOLS];
  }

  /** The same for every user. */
  list(): Promise<ToolListing> {
    return (this.listing ??= Promise.resolve({
      tools: this.registry.list().map(({ definition }) => definition),
      heldBack: [],
    }));
  }

  async check({ tool }: ToolRef, args: JsonObject): Promise<readonly InputIssue[]> {
    const checked = await this.tool(tool).input.check(args);
    return 'issues' in checked ? checked.issues : [];
  }

  async call(
    context: UserExecutionContext,
    { tool: name }: ToolRef,
    args: JsonObject,
    call: ToolInvocation,
  ): Promise<ToolResult> {
    const tool = this.tool(name);
    const input = await tool.input.check(args);
    if ('issues' in input) throw invalidArguments(tool.definition, input.issues);
    const value = plainValue(name, await this.invoker.invoke(tool, call.scope, input.value, shown(context, call)));
    const output = await tool.output?.check(value);
    if (output && 'issues' in output) throw invalidResult(tool.definition, output.issues);
    return resultOfValue(value);
  }

  private tool(name: string): OwnTool {
    const tool = this.registry.find(name);
    if (!tool) throw new CarrelError('unknown_tool');
    return tool;
  }
}

/** Of a call what is a tool's business. */
function shown(context: UserExecutionContext, call: ToolInvocation): AgentToolCall {
  const { callId, attempt, idempotencyKey, signal, agent, progress, ask } = call;
  return { context, callId, attempt, idempotencyKey, signal, agent, progress, ask };
}

function plainValue(tool: string, value: unknown): JsonValue | undefined {
  if (value === undefined) return undefined;
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (cause) {
    throw new CarrelError('invalid_tool_result', `what "${tool}" returned can't be written as JSON`, { cause });
  }
  if (text !== undefined) return JSON.parse(text) as JsonValue;
  throw new CarrelError('invalid_tool_result', `"${tool}" returned a ${typeof value}, which is not JSON`);
}
