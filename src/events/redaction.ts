import type { JsonValue } from '../shared/json.js';

const SECRET_KEY = /password|secret|token|key|credential|authorization|cookie/i;
export const REDACTED = '[redacted]';

const MAX_STRING_LENGTH = 2_000;
const MAX_LIST_LENGTH = 50;
const MAX_KEYS = 100;
const MAX_DEPTH = 6;

/**
 * What may be shown of data that an event only mentions (inputs, tool arguments and results): values under keys that
 * sound like secrets are gone, long strings and lists are cut, and a cut value says how much there was.
 */
export function redact(value: unknown): JsonValue {
  try {
    return shown(value, 0);
  } catch {
    return '[unreadable]'; // a getter or a toJSON of the value throws
  }
}

function shown(value: unknown, depth: number): JsonValue {
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return value;
  if (typeof value === 'string') return cutText(value, MAX_STRING_LENGTH);
  if (typeof value !== 'object') return `[${typeof value}]`;
  if (depth >= MAX_DEPTH) return '[cut: nested too deep]';
  if (Array.isArray(value)) return redactList(value, depth);
  const toJson: unknown = 'toJSON' in value ? value.toJSON : undefined;
  if (typeof toJson === 'function') return shown(toJson.call(value), depth + 1);
  return redactObject(value, depth);
}

/** A text of at most `maxLength` characters; a cut one says how long it was. */
export function cutText(text: string, maxLength: number): string {
  return text.length <= maxLength ? text : `${text.slice(0, maxLength)}… [cut: ${text.length} characters]`;
}

function redactList(list: readonly unknown[], depth: number): JsonValue {
  const items: JsonValue[] = list.slice(0, MAX_LIST_LENGTH).map((item) => shown(item, depth + 1));
  if (list.length > MAX_LIST_LENGTH) items.push(`[cut: ${list.length} items]`);
  return items;
}

function redactObject(object: object, depth: number): JsonValue {
  const entries = Object.entries(object).filter(([, item]) => item !== undefined);
  const facts: [string, JsonValue][] = entries
    .slice(0, MAX_KEYS)
    .map(([key, item]) => [key, SECRET_KEY.test(key) ? REDACTED : shown(item, depth + 1)]);
  if (entries.length > MAX_KEYS) facts.push(['…', `[cut: ${entries.length} keys]`]);
  return Object.fromEntries(facts);
}
