import { createHash } from 'node:crypto';
import { OWN_TOOLS, type ToolRef } from '../../agents/tools/tool-definition.js';

/** What every provider takes: OpenAI, Anthropic and Gemini each have rules of their own. */
const SAFE_NAME = /^[a-zA-Z_][a-zA-Z0-9_-]{0,63}$/;
const SEPARATOR = '__';
const KEPT_CHARS = 55;
const HASH_CHARS = 8;

/**
 * What a model calls a tool: `server__tool`, or `tool` for the application's own. The same in every process and list, for
 * it is in recorded conversations; another one for every tool. A name that providers would not take, or that could be
 * two tools', is cut and ends in a hash of the whole one.
 */
export function modelToolName({ server, tool }: ToolRef): string {
  const name = server === OWN_TOOLS ? tool : server + SEPARATOR + tool;
  const isPlain = server === OWN_TOOLS ? !tool.includes(SEPARATOR) : !`${server}_`.includes(SEPARATOR);
  if (isPlain && SAFE_NAME.test(name) && !endsLikeHash(name)) return name;
  const hash = createHash('sha256').update(`${server}/${tool}`).digest('hex').slice(0, HASH_CHARS);
  const safe = name.replaceAll(/[^a-zA-Z0-9_-]/g, '_').replace(/^[^a-zA-Z_]/, '_');
  return `${safe.slice(0, KEPT_CHARS)}_${hash}`;
}

/** Such a name could be meant to be taken for another tool's. */
function endsLikeHash(name: string): boolean {
  return /_[0-9a-f]{8}$/.test(name);
}

/** Which tools an agent gets: `server/tool`, where `*` stands for any characters; the application's own are `app/…`. */
export function matchesAny(patterns: readonly string[], { server, tool }: ToolRef): boolean {
  return patterns.some((pattern) => regexOf(pattern).test(`${server}/${tool}`));
}

/** Why a text is no pattern for tools, if so. */
export function whyNotToolPattern(pattern: unknown): string | undefined {
  const isPattern = typeof pattern === 'string' && /^[^/\s]+\/\S+$/.test(pattern);
  return isPattern ? undefined : `${JSON.stringify(pattern)} is not "server/tool", such as "files/*" or "app/*"`;
}

function regexOf(pattern: string): RegExp {
  const source = pattern.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*');
  return new RegExp(`^${source}$`, 's');
}
