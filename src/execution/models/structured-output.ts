import type { LanguageModelV4CallOptions } from '@ai-sdk/provider';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { inputReader } from '../../agents/agent-input.js';
import type { AgentInput } from '../../agents/agent-provider.js';
import type { InputCheck } from '../../agents/input-reader.js';
import { CarrelError } from '../../shared/errors.js';
import type { JsonObject } from '../../shared/json.js';
import { compileSchema } from '../json-schema.js';

/** A class-validator DTO class, a Standard Schema (zod, valibot, …) or a JSON Schema. */
export type OutputSchema = AgentInput | StandardSchemaV1 | JsonObject;

const BOUNDS = { maxBytes: 64 * 1024, maxDepth: 64 };

/** Reads a model's answers as data of one form. Made once for each declared schema. */
export interface OutputReader {
  readonly jsonSchema: JsonObject;
  /** @returns the value, or what is wrong with the text */
  read(text: string): Promise<InputCheck>;
}

/** Declared schemas live as long as their agents' code. */
const readers = new WeakMap<object, OutputReader>();

/** @throws CarrelError `invalid_agent` when the schema can't be used */
export function outputReader(declared: OutputSchema): OutputReader {
  const known = readers.get(declared);
  if (known) return known;
  const reader = makeReader(declared);
  readers.set(declared, reader);
  return reader;
}

function makeReader(declared: OutputSchema): OutputReader {
  const { check, jsonSchema } = checkOf(declared);
  return {
    jsonSchema,
    async read(text) {
      const parsed = parse(text);
      return 'issues' in parsed ? parsed : check(parsed.value);
    },
  };
}

function checkOf(declared: OutputSchema): { check(value: unknown): Promise<InputCheck>; jsonSchema: JsonObject } {
  const input = inputReader(declared);
  if (typeof input !== 'string') return input;
  if (typeof declared === 'function') throw unusable(input);
  const check = compileSchema(declared, BOUNDS);
  if (typeof check === 'string') throw unusable(`is no JSON Schema that can be used: ${check}`);
  return {
    jsonSchema: declared as JsonObject,
    check: async (value) => {
      const issues = check(value);
      return issues.length > 0 ? { issues } : { value };
    },
  };
}

function unusable(reason: string): CarrelError {
  return new CarrelError('invalid_agent', `its output ${reason}`);
}

/** Many models put data into a Markdown fence, whatever they are told. */
function parse(text: string): InputCheck {
  const [, fenced] = /^\s*```(?:json)?\s*\n([\s\S]*?)\n\s*```\s*$/.exec(text) ?? [];
  try {
    return { value: JSON.parse(fenced ?? text) as unknown };
  } catch (error) {
    return { issues: [{ path: '', message: `is not JSON: ${(error as Error).message}` }] };
  }
}

/** What the provider is told, if it knows schemas. With tools beside it not every provider takes it. */
export function responseFormat(
  { jsonSchema }: OutputReader,
  facts: { keepsSchemas: boolean; hasTools: boolean },
): LanguageModelV4CallOptions['responseFormat'] {
  if (facts.hasTools) return undefined;
  if (!facts.keepsSchemas) return { type: 'json' };
  return { type: 'json', schema: jsonSchema, name: 'answer' };
}

/** What the model itself is told. */
export function outputInstructions({ jsonSchema }: OutputReader): string {
  return `Your last answer must be one JSON value and nothing else, without a Markdown fence. It must fit this JSON Schema:\n${JSON.stringify(jsonSchema)}`;
}

/** What the model is asked when its answer does not fit. */
export function repairRequest(issues: readonly { path: string; message: string }[]): string {
  return `That does not fit the JSON Schema: ${issueText(issues)}. Answer again, with the JSON value alone.`;
}

/** @returns the error that ends the run when the second answer does not fit either */
export function invalidOutput(issues: readonly { path: string; message: string }[]): CarrelError {
  const details = { issues: issues.slice(0, 20).map(({ path, message }) => ({ path, message })) };
  return new CarrelError('invalid_model_output', `The model's answer does not fit the schema: ${issueText(issues)}`, {
    details,
  });
}

function issueText(issues: readonly { path: string; message: string }[]): string {
  return issues
    .slice(0, 5)
    .map(({ path, message }) => [path, message].filter(Boolean).join(' '))
    .join('; ');
}
