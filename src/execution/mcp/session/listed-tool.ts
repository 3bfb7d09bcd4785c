import { isSpecType, type Tool } from '@modelcontextprotocol/client';
import type { StepEffect } from '../../../events/step-record.js';
import type { JsonObject } from '../../../shared/json.js';
import { definitionHash } from '../accepted/definition-hash.js';
import type { HeldBackTool } from '../../tools/tool-source.port.js';
import type { ToolDefinition } from '../../../agents/tools/tool-definition.js';
import { whyNotMirrored } from './parameter-headers.js';

const MAX_NAME_CHARS = 128;
/** Longer descriptions are cut: they are read by people and models, and a tool that needs more has several. */
const MAX_DESCRIPTION_CHARS = 8_192;

/** A tool as a server lists it. */
export interface ListedTool {
  readonly definition: ToolDefinition;
  /**
   * As the server sent it, but for the output schema: the SDK wants it back for a call, and would compile whatever schema there
   * is. Results are checked where all tools' are.
   */
  readonly raw: Tool;
  /** Of all that people and models see of it, and that decides how it is called. */
  readonly hash: string;
}

/** @returns the tool, or why it can't be called */
export function listedTool(server: string, raw: unknown): ListedTool | HeldBackTool {
  const name = nameOf(raw);
  const wrong = (reason: string): HeldBackTool => ({ server, tool: name, code: 'invalid_tool', reason });
  if (!isSpecType.Tool(raw)) return wrong('the server describes it in a way that is not the protocol’s');
  if (raw.name !== name || name === '') return wrong(`its name has more than ${MAX_NAME_CHARS} characters, or none`);
  if (raw.execution?.taskSupport === 'required')
    return wrong('it can only be called as a task, which Carrel does not do');
  const reason = whyNotMirrored(raw.inputSchema as JsonObject);
  if (reason) return wrong(reason);
  const { outputSchema: _, ...withoutOutput } = raw;
  return { definition: definitionOf(server, raw), raw: withoutOutput, hash: definitionHash(raw) };
}

function definitionOf(server: string, raw: Tool): ToolDefinition {
  const { name, title, description = '', inputSchema, outputSchema, annotations = {} } = raw;
  const readOnly = annotations.readOnlyHint === true;
  return {
    server,
    tool: name,
    title: cut(title ?? annotations.title, 200),
    description: cut(description, MAX_DESCRIPTION_CHARS),
    inputSchema: inputSchema as JsonObject,
    ...(outputSchema && { outputSchema: outputSchema as JsonObject }),
    effect: effectOf(readOnly, annotations.idempotentHint === true),
    destructive: !readOnly && annotations.destructiveHint !== false,
    // the protocol's default, but for what only reads: nearly all of that would ask
    openWorld: annotations.openWorldHint ?? !readOnly,
  };
}

function effectOf(readOnly: boolean, idempotent: boolean): StepEffect {
  if (readOnly) return 'read';
  return idempotent ? 'idempotent' : 'once';
}

function nameOf(raw: unknown): string {
  const name = typeof raw === 'object' && raw !== null && 'name' in raw ? raw.name : undefined;
  return typeof name === 'string' ? name.slice(0, MAX_NAME_CHARS) : '';
}

function cut<T extends string | undefined>(text: T, maxChars: number): T | string {
  return text !== undefined && text.length > maxChars ? `${text.slice(0, maxChars)}…` : text;
}
