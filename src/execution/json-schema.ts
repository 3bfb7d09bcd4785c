import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { pathText, type InputIssue } from '../agents/input-reader.js';
import { linearPatterns } from './linear-patterns.js';
import { whyNotPlainJson, type JsonBounds, type JsonObject } from '../shared/json.js';

/** More than a person reads. */
const MAX_ISSUES = 20;
const MAX_REASON_CHARS = 300;
const OPTIONS = { strict: false, validateFormats: false, logger: false } as const;
const DRAFT_2020_12 = 'https://json-schema.org/draft/2020-12/schema';
const DRAFT_07 = 'http://json-schema.org/draft-07/schema';

/** Which JSON Schema a schema is written in. */
interface Dialect {
  readonly Compiler: typeof Ajv | typeof Ajv2020;
  /** Only checks schemas, and keeps none: to make one costs more than all the rest. */
  readonly checker: Ajv | Ajv2020;
}

const DIALECTS = new Map<string, Dialect>([
  [DRAFT_2020_12, { Compiler: Ajv2020, checker: new Ajv2020(OPTIONS) }],
  [DRAFT_07, { Compiler: Ajv, checker: new Ajv(OPTIONS) }],
]);

/** What is wrong with a value; empty when it fits. */
export type SchemaCheck = (value: unknown) => InputIssue[];

/**
 * Compiles a schema that comes from somebody else.
 *
 * @param isTrusted of one that is not, patterns are matched in linear time
 * @returns its check, or a sentence that says why values can't be checked by it
 */
export function compileSchema(
  schema: unknown,
  bounds: JsonBounds,
  { isTrusted = true }: { isTrusted?: boolean } = {},
): SchemaCheck | string {
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) return 'the schema is not an object';
  const reason = whyNotPlainJson(schema, 'schema', bounds);
  if (reason) return reason;
  const dialect = dialectOf(schema as JsonObject);
  if (!dialect) return `the schema's $schema must be "${DRAFT_2020_12}" (or missing) or "${DRAFT_07}"`;
  if ('$async' in schema) return 'the schema must not be asynchronous ($async)';
  try {
    if (dialect.checker.validateSchema(schema) !== true)
      return cut(dialect.checker.errorsText(dialect.checker.errors, { dataVar: 'schema' }));
    return checkOf(compile(schema as JsonObject, dialect, isTrusted));
  } catch (error) {
    return cut(`the schema can't be compiled: ${(error as Error).message}`);
  }
}

/** Compiled by itself each time: a compiler remembers what it has compiled, and its `$id`s would meet those of others. */
function compile(schema: JsonObject, { Compiler }: Dialect, isTrusted: boolean): ValidateFunction {
  const code = isTrusted ? {} : { code: { regExp: linearPatterns } };
  return new Compiler({ ...OPTIONS, ...code, meta: false, validateSchema: false }).compile(schema);
}

function checkOf(validate: ValidateFunction): SchemaCheck {
  return (value) => (validate(value) ? [] : (validate.errors ?? []).slice(0, MAX_ISSUES).map(issueOf));
}

function dialectOf({ $schema = DRAFT_2020_12 }: JsonObject): Dialect | undefined {
  return typeof $schema === 'string' ? DIALECTS.get($schema.replace(/#$/, '')) : undefined;
}

function issueOf({ instancePath, keyword, params, message = 'does not fit' }: ErrorObject): InputIssue {
  const keys = instancePath.split('/').slice(1);
  const path = keys.map((key) => (/^\d+$/.test(key) ? Number(key) : key.replaceAll('~1', '/').replaceAll('~0', '~')));
  const facts = params as Record<string, unknown>;
  const more =
    keyword === 'enum'
      ? `: ${JSON.stringify(facts.allowedValues)}`
      : keyword === 'additionalProperties'
        ? `: "${String(facts.additionalProperty)}"`
        : '';
  return { path: cut(pathText(path)), message: cut(`${message}${more}`) };
}

function cut(text: string): string {
  return text.length > MAX_REASON_CHARS ? `${text.slice(0, MAX_REASON_CHARS)}…` : text;
}
