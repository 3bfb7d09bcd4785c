import { z } from 'zod';
import { strictly } from './json-file.js';
import { hasPlaceholder } from './placeholders.js';

const NAME = /^[A-Za-z0-9_-]{1,64}$/;
/** The transport sets these itself. */
const OWN_HEADERS =
  /^(accept|connection|content-(length|type)|host|last-event-id|mcp-.*|te|trailer|transfer-encoding|upgrade)$/i;

const text = z.string({ error: 'must be a text' }).min(1, 'must not be empty').max(8_192, 'is too long');
const value = z
  .string({ error: 'must be a text' })
  .max(8_192, 'is too long')
  .refine(isOneLine, 'must not have control characters');

/** What other hosts write too, and what it means is the same here. */
const COMMON = { disabled: z.boolean('must be true or false').optional() };

const STDIO = strictly({
  ...COMMON,
  type: z.literal('stdio', 'must be "stdio" beside a command').optional(),
  command: text.refine(
    (command) => !hasPlaceholder(command),
    'must be the same for everybody: it has no placeholders, "args" and "env" may',
  ),
  args: z.array(value, 'must be a list of texts').max(100, 'has too many').optional(),
  env: z
    .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), value, {
      error: keyMessage('must be an object of texts', 'is no name of a variable'),
    })
    .optional(),
});

const HTTP = strictly({
  ...COMMON,
  type: z
    .enum(['http', 'streamable-http', 'streamableHttp'], {
      error: ({ input }) =>
        input === 'sse'
          ? 'is "sse", the transport that MCP has given up: give the URL for Streamable HTTP'
          : 'must be "http" beside a URL',
    })
    .optional(),
  url: text,
  headers: z
    .record(z.string().regex(/^[\w!#$%&'*+.^`|~-]{1,256}$/), value, {
      error: keyMessage('must be an object of texts', 'is no name of a header'),
    })
    .refine((headers) => !Object.keys(headers).some((name) => OWN_HEADERS.test(name)), {
      error: ({ input }) => `has ${ownHeaders(input)}, which Carrel sets itself`,
    })
    .optional(),
});

/** One entry: what is wrong with it is said of the kind that it seems to be. */
const SERVER = z.unknown().transform((entry, context) => {
  const keys = typeof entry === 'object' && entry !== null ? Object.keys(entry) : [];
  if (keys.includes('command') === keys.includes('url')) {
    context.addIssue('must have either "command" (a process for each user) or "url" (Streamable HTTP)');
    return z.NEVER;
  }
  const checked = (keys.includes('url') ? HTTP : STDIO).safeParse(entry);
  if (checked.success) return checked.data;
  for (const { path, message } of checked.error.issues) context.addIssue({ code: 'custom', path, message });
  return z.NEVER;
});

const pattern = text.max(256, 'is too long').optional();
const RULES = z
  .array(strictly({ server: pattern, tool: pattern, role: pattern, agent: pattern }), 'must be a list of rules')
  .max(1_000, 'has too many rules')
  .optional();

/** `mcp.json` as it is written. */
export const MCP_FILE = strictly({
  $schema: z.string().optional(),
  mcpServers: z
    .record(z.string().regex(NAME).refine(isNotOwn), SERVER, {
      error: keyMessage(
        'must be an object: servers by their name',
        'can not be the name of a server: letters, digits, "-" and "_", at most 64, and not "app"',
      ),
    })
    .optional(),
  toolPolicy: strictly({ allow: RULES, deny: RULES, approve: RULES, trust: RULES }).optional(),
});

export type McpFile = z.output<typeof MCP_FILE>;

/** "app" stands for the application's own tools. */
function isNotOwn(name: string): boolean {
  return name !== 'app';
}

function keyMessage(wrong: string, wrongKey: string) {
  return (issue: z.core.$ZodRawIssue) => (issue.code === 'invalid_key' ? wrongKey : wrong);
}

function ownHeaders(headers: unknown): string {
  return Object.keys(headers as object)
    .filter((name) => OWN_HEADERS.test(name))
    .join(' and ');
}

function isOneLine(line: string): boolean {
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  return !/[\u0000-\u0008\u000a-\u001f\u007f]/.test(line);
}
