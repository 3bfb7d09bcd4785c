import type { CallToolResult } from '@modelcontextprotocol/client';
import { CarrelError } from '../../../shared/errors.js';
import type { JsonObject, JsonValue } from '../../../shared/json.js';
import type { ToolRef } from '../../../agents/tools/tool-definition.js';
import type { ToolResult } from '../../../agents/tools/tool-result.js';

/** Of what a tool says when it fails; enough for a reason, and for a model to make a better call. */
const MAX_FAILURE_CHARS = 2_000;

/**
 * What an answer of the protocol means to whoever called. Its size and its schema are looked at where all tools' are.
 *
 * @throws CarrelError `tool_failed` when the tool says that it failed
 */
export function toolAnswer(result: CallToolResult, ref: ToolRef): ToolResult {
  const content = (result.content ?? []).map(withoutMeta);
  const text = content.map(wordsOf).filter(Boolean).join('\n');
  if (result.isError) throw failed(ref, text);
  const structured = result.structuredContent as JsonValue | undefined;
  return { text, content, ...(structured !== undefined && { structured }) };
}

/** @param why the tool's own words, which are for its own user */
export function failed({ server, tool }: ToolRef, why: string): CarrelError {
  const words = why.length > MAX_FAILURE_CHARS ? `${why.slice(0, MAX_FAILURE_CHARS)}…` : why;
  return new CarrelError('tool_failed', words.trim() || `"${tool}" of "${server}" says that it failed, and not why`, {
    details: { server, tool },
  });
}

/** `_meta` is between programs. */
function withoutMeta(block: object): JsonObject {
  const { _meta, ...rest } = block as JsonObject;
  const { resource } = rest;
  if (typeof resource !== 'object' || resource === null || Array.isArray(resource)) return rest;
  const { _meta: _, ...plain } = resource as JsonObject;
  return { ...rest, resource: plain };
}

/** Texts, and those of embedded resources. */
function wordsOf({ type, text, resource }: JsonObject): string {
  if (type === 'text' && typeof text === 'string') return text;
  const embedded = type === 'resource' && (resource as JsonObject | undefined)?.text;
  return typeof embedded === 'string' ? embedded : '';
}
