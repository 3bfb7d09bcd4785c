import type { AgentInput } from './agent-provider.js';
import { dtoInput } from './dto-input.js';
import type { InputReader } from './input-reader.js';
import { isStandardSchema, schemaInput } from './schema-input.js';

/**
 * How to read what was declared as an agent's `input`.
 *
 * @returns a sentence that says what is wrong with the declaration when it can't be used
 */
export function inputReader(declared: unknown): InputReader | string {
  // first, for a schema may be a function too
  if (isStandardSchema(declared)) return schemaInput(declared);
  if (typeof declared === 'function') return dtoInput(declared as Extract<AgentInput, new () => object>);
  return 'is neither a class-validator DTO class nor a Standard Schema (zod, valibot, …)';
}
