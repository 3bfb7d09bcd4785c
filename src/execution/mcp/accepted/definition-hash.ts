import type { Tool } from '@modelcontextprotocol/client';
import { createHash } from 'node:crypto';
import { configure } from 'safe-stable-stringify';

const stringify = configure({ deterministic: true, circularValue: Error });

/**
 * The same for definitions that mean the same: of everything that people and models see of a tool and that decides how it is
 * called, whatever the order of its keys. Icons and `_meta` are left out.
 */
export function definitionHash({
  name,
  title,
  description,
  inputSchema,
  outputSchema,
  annotations,
  execution,
}: Tool): string {
  const text = stringify({ name, title, description, inputSchema, outputSchema, annotations, execution })!;
  return `sha256-${createHash('sha256').update(text).digest('base64url')}`;
}
