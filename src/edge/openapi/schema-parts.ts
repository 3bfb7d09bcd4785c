import type { ApiResponseSchemaHost } from '@nestjs/swagger';

export type Schema = ApiResponseSchemaHost['schema'];

/** An object whose properties are all required, but for those that are named. */
export function object(
  properties: Record<string, Schema>,
  optional: readonly string[] = [],
  description?: string,
): Schema {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return { type: 'object', ...(description && { description }), properties, ...(required.length > 0 && { required }) };
}

export function ref(name: string): Schema {
  return { $ref: `#/components/schemas/${name}` };
}

export function text(description?: string): Schema {
  return { type: 'string', ...(description && { description }) };
}

export function integer(description?: string, minimum = 0): Schema {
  return { type: 'integer', minimum, ...(description && { description }) };
}

export function dateTime(description?: string): Schema {
  return { type: 'string', format: 'date-time', ...(description && { description }) };
}

/** Any plain data. */
export function anyJson(description: string): Schema {
  return { description };
}

/** Plain data whose keys are somebody else's. */
export function anyObject(description: string): Schema {
  return { type: 'object', description, additionalProperties: true };
}

/** A page of something. */
export function listOf(name: string, description: string): Schema {
  const nextCursor = text('Ask for it (`cursor`) to get the next page; missing on the last one.');
  return object({ items: { type: 'array', items: ref(name) }, nextCursor }, ['nextCursor'], description);
}
