import { isPrototypeKey, type JsonObject, type JsonValue } from '../../../shared/json.js';
import { partsOf, stemsOf } from './words.js';

/** What a text is to be, as far as a schema tells. */
type TextKind = 'path' | 'url' | 'date' | 'date-time' | 'text';

/** One argument of a tool, as its schema describes it. */
export interface ArgumentShape {
  readonly name: string;
  readonly type: 'string' | 'number' | 'integer' | 'boolean' | 'array' | 'object' | 'any';
  readonly kind: TextKind;
  /** What it may be, when the schema lists it. */
  readonly values: readonly string[];
  /** Of an array. */
  readonly items?: ArgumentShape;
  /** The schema itself, of an object. */
  readonly schema: JsonObject;
  readonly hint: string;
  readonly isRequired: boolean;
  readonly fallback?: JsonValue;
  /** Stems of the name's parts, and of the description's words. */
  readonly nameStems: ReadonlySet<string>;
  readonly hintStems: ReadonlySet<string>;
}

const MAX_ENUM = 200;
const MAX_DEPTH = 4;
const TYPES = new Set(['string', 'number', 'integer', 'boolean', 'array', 'object']);

/** The arguments that an object's schema names, in its order. */
export function propertiesOf(schema: JsonObject, root: JsonObject = schema, depth = 0): ArgumentShape[] {
  const resolved = resolve(schema, root);
  const properties = asObject(resolved.properties);
  const required = new Set(Array.isArray(resolved.required) ? (resolved.required as unknown[]) : []);
  return Object.entries(properties)
    .filter(([name]) => !isPrototypeKey(name))
    .map(([name, property]) => shapeOf(name, asObject(property), required.has(name), root, depth));
}

function shapeOf(name: string, given: JsonObject, isRequired: boolean, root: JsonObject, depth: number): ArgumentShape {
  const schema = resolve(given, root);
  const hint = [given.description, schema.description, schema.title].find((text) => typeof text === 'string') ?? '';
  const type = typeOf(schema);
  return {
    name,
    type,
    kind: kindOf(name, schema, hint),
    values: valuesOf(schema),
    ...(type === 'array' && depth < MAX_DEPTH
      ? { items: shapeOf(name, asObject(schema.items), true, root, depth + 1) }
      : {}),
    schema,
    hint: hint,
    isRequired,
    fallback: given.default ?? schema.default,
    nameStems: new Set(stemsOf(name)),
    hintStems: new Set(stemsOf(hint)),
  };
}

/** Follows `$ref`s inside the schema, and takes the first alternative that is not null. */
function resolve(schema: JsonObject, root: JsonObject): JsonObject {
  let current = schema;
  for (let step = 0; step < MAX_DEPTH; step++) {
    const alternatives = current.anyOf ?? current.oneOf;
    if (typeof current.$ref === 'string') current = pointedAt(current.$ref, root);
    else if (Array.isArray(alternatives)) {
      const first = alternatives.map(asObject).find(({ type }) => type !== 'null');
      if (!first) return current;
      current = { ...current, anyOf: undefined, oneOf: undefined, ...first };
    } else return current;
  }
  return current;
}

function pointedAt(ref: string, root: JsonObject): JsonObject {
  if (!ref.startsWith('#/')) return {};
  let current: JsonObject = root;
  for (const key of ref.slice(2).split('/')) {
    const name = key.replaceAll('~1', '/').replaceAll('~0', '~');
    if (!Object.hasOwn(current, name)) return {};
    current = asObject(current[name]);
  }
  return current;
}

function typeOf({ type, enum: values, const: value }: JsonObject): ArgumentShape['type'] {
  const named = Array.isArray(type) ? type.find((one) => one !== 'null') : type;
  if (typeof named === 'string' && TYPES.has(named)) return named as ArgumentShape['type'];
  const sample = Array.isArray(values) ? (values[0] as JsonValue) : value;
  return typeof sample === 'string' || typeof sample === 'number' ? (typeof sample as 'string' | 'number') : 'any';
}

function valuesOf({ enum: values, const: value }: JsonObject): string[] {
  const all: readonly JsonValue[] = Array.isArray(values)
    ? (values as JsonValue[])
    : value === undefined
      ? []
      : [value];
  return all.slice(0, MAX_ENUM).filter((one) => typeof one === 'string');
}

/** Where the schema has no `format`, the name tells, or the description does. */
function kindOf(name: string, { format, items }: JsonObject, hint: string): TextKind {
  if (format === undefined && items !== undefined) return kindOf(name, asObject(items), hint);
  if (format === 'uri' || format === 'url' || format === 'iri' || format === 'uri-reference') return 'url';
  if (format === 'date' || format === 'date-time') return format;
  const parts = new Set(partsOf(name).map((part) => part.replace(/s$/, '')));
  if (['url', 'uri', 'href', 'link'].some((part) => parts.has(part))) return 'url';
  if (['path', 'file', 'filename', 'filepath', 'dir', 'directory', 'folder'].some((part) => parts.has(part)))
    return 'path';
  if (/\bURLs?\b/.test(hint)) return 'url';
  return 'text';
}

function asObject(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}
