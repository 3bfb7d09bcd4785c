import type { InputIssue } from '../agents/input-reader.js';
import type { JsonObject } from '../shared/json.js';
import { compileSchema } from './json-schema.js';

/** What the schema of an answer may be at most: it is shown to people, with the event that asks. */
const BOUNDS = { maxBytes: 16 * 1024, maxDepth: 32 };

/** Says why answers can't be checked by this schema, or `undefined` when they can. */
export function whyNotAnswerSchema(schema: unknown): string | undefined {
  const check = compileSchema(schema, BOUNDS);
  return typeof check === 'string' ? check : undefined;
}

/**
 * What is wrong with an answer; empty when it fits. The schema is one that `whyNotAnswerSchema` has let pass. It may be an MCP
 * server's, and the answer is anybody's: so patterns are matched in linear time.
 */
export function answerIssues(schema: JsonObject, answer: unknown): InputIssue[] {
  const check = compileSchema(schema, BOUNDS, { isTrusted: false });
  if (typeof check !== 'string') return check(answer);
  return [{ path: '', message: 'what was asked has a schema that answers cannot be checked by' }];
}
