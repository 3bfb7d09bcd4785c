/** What a form knows of a JSON Schema. */
export interface Property {
  type?: string | string[];
  title?: string;
  description?: string;
  enum?: unknown[];
  const?: unknown;
  default?: unknown;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  format?: string;
  pattern?: string;
  properties?: Record<string, Property>;
  required?: string[];
  anyOf?: Property[];
  oneOf?: Property[];
}

export type Values = Readonly<Record<string, unknown>>;

const PLAIN = ['boolean', 'number', 'integer', 'string'];
/** A group of more fields than this is easier to give as JSON. */
const MAX_GROUP = 6;

export function kindOf({ type }: Property): string | undefined {
  return [type].flat().find((one) => one !== 'null');
}

/** Its fields stand in the form, within a frame. */
export function isGroup({ properties = {} }: Property): boolean {
  const all = Object.values(properties);
  return all.length > 0 && all.length <= MAX_GROUP && all.every((one) => !one.properties && kindOf(one) !== 'array');
}

/** What is asked as JSON is edited as text. */
function isJson(property: Property): boolean {
  return !property.enum && !isGroup(property) && !PLAIN.includes(kindOf(property) ?? '');
}

/** Several kinds of object, of which one is to be given; by what must be in each. */
export function variantsOf({ anyOf, oneOf }: Property): ReadonlyMap<string, Property> {
  const all = anyOf ?? oneOf ?? [];
  if (!all.every(({ properties }) => properties)) return new Map();
  return new Map(all.map((one, i) => [one.title ?? (one.required?.join(', ') || `kind ${i + 1}`), one]));
}

/** The variant that an example is of; else the first. */
export function variantOf(variants: ReadonlyMap<string, Property>, example: unknown): string | undefined {
  const has = asValues(example);
  const fitting = [...variants].find(([, { required = [] }]) => required.every((name) => name in has));
  return (example === undefined ? undefined : fitting?.[0]) ?? variants.keys().next().value;
}

export function initialOf({ properties = {} }: Property, example: unknown): Values {
  const given = asValues(example);
  return Object.fromEntries(
    Object.entries(properties).map(([name, property]) => {
      const value = given[name] ?? property.const ?? property.default;
      if (isGroup(property)) return [name, initialOf(property, value)];
      return [name, value !== undefined && isJson(property) ? JSON.stringify(value, null, 2) : value];
    }),
  );
}

/** @throws Error for JSON that is none, with the field's name */
export function valueOf({ properties = {}, required = [] }: Property, values: Values): Values {
  const filled = Object.entries(properties).flatMap(([name, property]) => {
    const value = fieldOf(name, property, values[name], required.includes(name));
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(filled);
}

/** @returns undefined when there is nothing in it */
function fieldOf(name: string, property: Property, value: unknown, isRequired: boolean): unknown {
  if (isGroup(property)) {
    const group = valueOf(property, asValues(value));
    const isUntouched = JSON.stringify(group) === JSON.stringify(valueOf(property, initialOf(property, undefined)));
    return isUntouched && !isRequired ? undefined : group;
  }
  if (value === undefined || (value === '' && (!isRequired || isJson(property)))) return undefined;
  if (!isJson(property)) return value;
  try {
    return JSON.parse(value as string) as unknown;
  } catch (cause) {
    throw new Error(`${property.title ?? name} is no JSON`, { cause });
  }
}

export function asValues(value: unknown): Values {
  return typeof value === 'object' && value !== null ? (value as Values) : {};
}
