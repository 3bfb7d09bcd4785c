import type { StandardJSONSchemaV1, StandardSchemaV1 } from '@standard-schema/spec';
import type { JsonObject } from '../shared/json.js';
import { type InputCheck, type InputReader, pathText } from './input-reader.js';

/** Schemas of any library that keeps to standardschema.dev; they may be objects or functions. */
export function isStandardSchema(value: unknown): value is StandardSchemaV1 {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null || !('~standard' in value))
    return false;
  const standard = value['~standard'];
  return (
    typeof standard === 'object' &&
    standard !== null &&
    'validate' in standard &&
    typeof standard.validate === 'function'
  );
}

/** Reads inputs by a Standard Schema, synchronous or not. */
export function schemaInput(schema: StandardSchemaV1): InputReader {
  return { check: (input) => check(schema, input), jsonSchema: jsonSchemaOf(schema) };
}

async function check(schema: StandardSchemaV1, input: unknown): Promise<InputCheck> {
  const result = await schema['~standard'].validate(input);
  if (!result.issues) return { value: result.value };
  return {
    issues: result.issues.map(({ path = [], message }) => ({
      path: pathText(path.map((segment) => (typeof segment === 'object' ? segment.key : segment))),
      message,
    })),
  };
}

function jsonSchemaOf(schema: StandardSchemaV1): JsonObject {
  const { vendor } = schema['~standard'];
  if (!canSayJsonSchema(schema)) return { description: `Checked by ${vendor}, which offers no JSON Schema` };
  try {
    return schema['~standard'].jsonSchema.input({ target: 'draft-2020-12' }) as JsonObject;
  } catch {
    // a converter throws on what JSON Schema can't say, e.g. a transformation; the input is checked all the same
    return { description: `Checked by ${vendor}; JSON Schema can't express it` };
  }
}

function canSayJsonSchema(schema: StandardSchemaV1): schema is StandardSchemaV1 & StandardJSONSchemaV1 {
  return 'jsonSchema' in schema['~standard'];
}
