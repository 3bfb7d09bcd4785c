import type { CallToolResult } from '@modelcontextprotocol/client';
import { CarrelError } from '../../../shared/errors.js';
import { whyNotPlainJson, type JsonObject, type JsonValue } from '../../../shared/json.js';
import type { ToolRef } from '../../../agents/tools/tool-definition.js';
import type { ToolResult } from '../../../agents/tools/tool-result.js';

const MAX_DEPTH = 64;
/** Of what a tool says when it fails; enough for a reason, and for a model to make a better call. */
const MAX_FAILURE_CHARS = 2_000;

/**
 * What an answer of the protocol means to whoever called.
 *
 * @throws CarrelError `tool_failed` | `tool_result_too_large` | `invalid_tool_result`
 */
export function toolAnswer(result: CallToolResult, { server, tool }: ToolRef, maxBytes: number): ToolResult {
  const content = (result.content ?? []).map(withoutMeta);
  const structured = result.structuredContent as JsonValue | undefined;
  const bytes = Buffer.byteLength(JSON.stringify({ content, structured }));
  if (bytes > maxBytes) throw tooLarge({ server, tool }, bytes, maxBytes);
  const reason = whyNotPlainJson({ content, ...(structured !== undefined && { structured }) }, 'result', {
    maxBytes: Infinity,
    maxDepth: MAX_DEPTH,
  });
  if (reason) throw new CarrelError('invalid_tool_result', `"${tool}" of "${server}" answered what is no result: ${reason}`);
  const text = content.map(wordsOf).filter(Boolean).join('\n');
  if (result.isError) throw failed({ server, tool }, text);
  return { text, content, ...(structured !== undefined && { structured }) };
}

/** @param why the tool's own words, which are for its own user */
export function failed({ server, tool }: ToolRef, why: string): CarrelError {
  const words = why.length > MAX_FAILURE_CHARS ? `${why.slice(0, MAX_FAILURE_CHARS)}…` : why;
  return new CarrelError('tool_failed', words.trim() || `"${tool}" of "${server}" says that it failed, and not why`, {
    details: { server, tool },
  });
}

function tooLarge({ server, tool }: ToolRef, bytes: number, maxBytes: number): CarrelError {
  const text = `"${tool}" of "${server}" answered ${bytes} bytes; at most ${maxBytes} are allowed (CARREL_TOOL_RESULT_BYTES)`;
  return new CarrelError('tool_result_too_large', text, { details: { server, tool } });
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
