/** A value that survives `JSON.parse(JSON.stringify(value))` unchanged. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;

export interface JsonObject {
  readonly [key: string]: JsonValue | undefined;
}

/** What plain data from outside may be at most. */
export interface JsonBounds {
  /** Length of the serialised value in UTF-8 bytes. */
  maxBytes: number;
  /** Nesting of lists and objects; a scalar has depth 0. */
  maxDepth: number;
}

/** Keys that can reach an object's prototype; refused wherever data comes in. */
const PROTOTYPE_KEYS = new Set(['__proto__', 'prototype', 'constructor']);

/** Whether a key can reach an object's prototype. */
export function isPrototypeKey(key: string): boolean {
  return PROTOTYPE_KEYS.has(key);
}

/** Keys come from whoever sends the data, so that a path could be as long as the data. */
const MAX_PATH_LENGTH = 200;

/**
 * Says why a value is not plain, bounded data, or `undefined` when it is.
 *
 * @returns a sentence that names the offending path, e.g. `metadata.a[3] is a function`
 */
export function whyNotPlainJson(value: unknown, name: string, bounds: JsonBounds): string | undefined {
  const reason = whyNotPlain(value, name, bounds.maxDepth, 0);
  if (reason) return reason;
  const bytes = Buffer.byteLength(JSON.stringify(value) ?? '');
  return bytes > bounds.maxBytes ? `${name} has ${bytes} bytes; at most ${bounds.maxBytes} are allowed` : undefined;
}

function whyNotPlain(value: unknown, path: string, maxDepth: number, depth: number): string | undefined {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return undefined;
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : `${cut(path)} is not a finite number`;
  if (typeof value !== 'object') return `${cut(path)} is ${typeof value === 'undefined' ? '' : 'a '}${typeof value}`;
  if (depth >= maxDepth) return `${cut(path)} is nested deeper than ${maxDepth} levels`;
  if (Array.isArray(value))
    return firstReason(value, (item, i) => whyNotPlain(item, `${path}[${i}]`, maxDepth, depth + 1));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return `${cut(path)} is not a plain object`;
  return firstReason(Object.entries(value), ([key, item]) => {
    if (PROTOTYPE_KEYS.has(key)) return `${cut(path)} has the reserved key "${key}"`;
    return item === undefined ? undefined : whyNotPlain(item, `${path}.${key}`, maxDepth, depth + 1);
  });
}

/** Whether lists and objects are nested deeper than this; a scalar has depth 0. */
export function isDeeperThan(value: JsonValue | undefined, maxDepth: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return maxDepth === 0 || Object.values(value).some((item) => isDeeperThan(item, maxDepth - 1));
}

function cut(path: string): string {
  return path.length > MAX_PATH_LENGTH ? `${path.slice(0, MAX_PATH_LENGTH)}…` : path;
}

function firstReason<T>(
  items: readonly T[],
  check: (item: T, index: number) => string | undefined,
): string | undefined {
  for (const [index, item] of items.entries()) {
    const reason = check(item, index);
    if (reason) return reason;
  }
  return undefined;
}

/**
 * A deeply frozen copy of plain data; the original stays as it was. By hand, since it is made for every request and
 * every run, and `structuredClone` costs twenty times as much there.
 */
export function frozenCopy<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return Object.freeze(value.map(frozenCopy)) as T;
  return Object.freeze(Object.fromEntries(Object.entries(value).map(([key, item]) => [key, frozenCopy(item)]))) as T;
}

/** A deep copy of plain data. By hand for the same reason. */
export function plainCopy<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(plainCopy) as T;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plainCopy(item)])) as T;
}
