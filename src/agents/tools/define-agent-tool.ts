import type { JsonObject } from '../../shared/json.js';
import { frozenCopy } from '../../shared/json.js';
import { inputReader } from '../agent-input.js';
import type { InputReader } from '../input-reader.js';
import type { DiscoveredTool } from './agent-tool-discovery.js';
import { agentToolOptionsSchema } from './agent-tool-options.js';
import { OWN_TOOLS, type ToolDefinition } from './tool-definition.js';

/** A tool of the application's own. */
export interface OwnTool {
  /** Immutable, and the same for every user. */
  readonly definition: ToolDefinition;
  readonly input: InputReader;
  readonly output: InputReader | undefined;
  readonly method: DiscoveredTool;
}

/** @returns the tool, or sentences that each say what is wrong and how to put it right */
export function defineAgentTool(method: DiscoveredTool): OwnTool | readonly string[] {
  const { success, data: options, error } = agentToolOptionsSchema.safeParse(method.options);
  if (!success) return error.issues.map((issue) => `${issue.path.join('.') || 'its options'}: ${issue.message}`);
  const problems: string[] = [];
  if (method.provider.durable) {
    problems.push('its class is durable, so users would share its instances; make it a singleton or request-scoped');
  }
  const input = options.input === undefined ? 'is missing' : inputReader(options.input);
  if (typeof input === 'string')
    problems.push(`its input ${input}; give @AgentTool an "input" that says what it accepts`);
  const output = options.output === undefined ? undefined : inputReader(options.output);
  if (typeof output === 'string') problems.push(`its output ${output}; leave it out if the tool may return anything`);
  if (problems.length > 0 || typeof input === 'string' || typeof output === 'string') return problems;
  const { name: tool, effect = 'once', input: _input, output: _output, ...rest } = options;
  const definition: ToolDefinition = {
    ...rest,
    server: OWN_TOOLS,
    tool,
    effect,
    inputSchema: objectSchema(input.jsonSchema),
    ...(output && { outputSchema: output.jsonSchema }),
    destructive: false,
    openWorld: false,
  };
  return { definition: frozenCopy(definition), input, output, method };
}

/** What can't be said in JSON Schema is an object all the same: arguments always are. */
function objectSchema(schema: JsonObject): JsonObject {
  return 'type' in schema || '$ref' in schema ? schema : { type: 'object', ...schema };
}
