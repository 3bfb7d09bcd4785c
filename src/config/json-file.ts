import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { didYouMean } from '../shared/near-names.js';

const MAX_BYTES = 1024 * 1024;

/**
 * A file of the configuration that is JSON.
 *
 * @returns what the schema makes of it, or everything that is wrong with it: one sentence each, the place in the file first.
 *   No sentence quotes a value, for it may be a secret
 */
export function readJsonFile<T>(path: string, schema: z.ZodType<T>): { data: T } | { problems: readonly string[] } {
  const text = textOf(path);
  if (typeof text !== 'string') return text;
  const json = parsedJson(text);
  if ('problems' in json) return json;
  const checked = schema.safeParse(json.value);
  if (checked.success) return { data: checked.data };
  return { problems: checked.error.issues.map(({ path: place, message }) => `${placeOf(place)} ${message}`) };
}

function textOf(path: string): string | { problems: string[] } {
  try {
    const bytes = readFileSync(path);
    if (bytes.length > MAX_BYTES) return { problems: [`has ${bytes.length} bytes; at most ${MAX_BYTES} are allowed`] };
    return bytes.toString('utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    return { problems: [`can not be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`] };
  }
}

/** What the parser says of bad JSON quotes the text: only the place is passed on. */
function parsedJson(text: string): { value: unknown } | { problems: string[] } {
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    const position = /position (\d+)/.exec((error as Error).message)?.[1];
    const line = position && text.slice(0, Number(position)).split('\n').length;
    return { problems: [line ? `is not JSON: see line ${line}` : 'is not JSON: it ends too early'] };
  }
}

/** An object that has no keys but these; the message about another one says which there are. */
export function strictly<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.strictObject(shape, { error: (issue) => strictMessage(issue, Object.keys(shape)) });
}

function strictMessage(issue: z.core.$ZodRawIssue, known: readonly string[]): string {
  if (issue.code !== 'unrecognized_keys') return 'must be an object';
  const keys = issue.keys;
  const hint = keys.length === 1 ? didYouMean(keys[0]!, known) : '';
  return `has ${keys.map((key) => JSON.stringify(key)).join(' and ')}, which is not known.${hint || ` There are ${known.join(', ')}.`}`;
}

/** `mcpServers.files.args[0]` */
function placeOf(path: readonly PropertyKey[]): string {
  const place = path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('');
  return place.replace(/^\./, '');
}
