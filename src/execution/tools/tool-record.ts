import type { ToolResult } from '../../agents/tools/tool-result.js';
import type { JsonObject, JsonValue } from '../../shared/json.js';

/**
 * A result as it is kept with its step: without what the rest of it says already. The texts of an answer are mostly there
 * twice, as its content and as its structure.
 */
export function packed({ text, structured, content }: ToolResult): JsonObject {
  const kept = isText(content, text) ? undefined : content;
  return {
    ...(structured !== undefined && { structured }),
    ...(text !== textOf(structured, kept) && { text }),
    ...(kept && { content: kept }),
  };
}

/**
 * The result that a step's record has.
 *
 * @param value what `packed` made; or what the owner of an interrupted call says that it has returned
 */
export function unpacked(value: JsonValue | undefined): ToolResult {
  if (typeof value === 'string') return { text: value, content: [textBlock(value)] };
  const { structured, text, content, ...others } = isObject(value) ? value : { structured: value };
  if (Object.keys(others).length > 0 || (content !== undefined && !Array.isArray(content)))
    return unpacked({ structured: value });
  const blocks = content as readonly JsonObject[] | undefined;
  const said = typeof text === 'string' ? text : textOf(structured, blocks);
  return { text: said, ...(structured !== undefined && { structured }), content: blocks ?? [textBlock(said)] };
}

/** The result of a tool that returns a value and nothing else. */
export function resultOfValue(value: JsonValue | undefined): ToolResult {
  return unpacked(typeof value === 'string' ? value : { structured: value });
}

function textOf(structured: JsonValue | undefined, content: readonly JsonObject[] | undefined): string {
  if (structured !== undefined) return JSON.stringify(structured);
  return (content ?? [])
    .flatMap(({ type, text }) => (type === 'text' && typeof text === 'string' ? text : []))
    .join('\n');
}

function isText(content: readonly JsonObject[], text: string): boolean {
  const [only, ...more] = content;
  const { type, text: said, ...others } = only ?? {};
  return more.length === 0 && type === 'text' && said === text && Object.keys(others).length === 0;
}

function textBlock(text: string): JsonObject {
  return { type: 'text', text };
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
