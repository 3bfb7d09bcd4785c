import { dirname, join, resolve } from 'node:path';
import { didYouMean } from '../shared/near-names.js';
import { readJsonFile } from './json-file.js';
import type { McpConfig, McpServerConfig, ToolPolicy } from './mcp-config.js';
import { MCP_FILE, type McpFile } from './mcp-file.schema.js';
import { fillIn } from './placeholders.js';
import type { Secrets } from './secrets.js';

type FileFacts = Pick<McpConfig, 'servers' | 'policy' | 'claims' | 'lockFile'>;
type ServerEntry = NonNullable<McpFile['mcpServers']>[string];

const OWN_TOOLS = 'app';

/**
 * Reads and checks `mcp.json` (CARREL_MCP_FILE).
 *
 * @param problems is told everything that is wrong with it, each with file and place
 */
export function readMcpFile(file: string, secrets: Secrets, problems: string[]): FileFacts {
  const path = resolve(file);
  const complain = (problem: string) => problems.push(`CARREL_MCP_FILE, ${path}: ${problem}`);
  const lockFile = join(dirname(path), 'mcp.lock.json');
  const read = readJsonFile(path, MCP_FILE);
  if ('problems' in read) {
    read.problems.forEach(complain);
    return { servers: [], policy: {}, claims: [], lockFile };
  }
  const { mcpServers = {}, toolPolicy = {} } = read.data;
  const claims = new Set<string>();
  const servers = Object.entries(mcpServers)
    .filter(([, entry]) => !entry.disabled)
    .map(([name, entry]) => {
      const fill = (place: string, text: string, folder: boolean) => {
        const filled = fillIn(text, secrets, { folder });
        for (const problem of filled.problems) complain(`mcpServers.${name}.${place} ${problem}`);
        for (const claim of filled.claims) claims.add(claim);
        return filled.text;
      };
      const server = serverFrom(name, entry, fill);
      if (server.kind === 'http' && !isUsableUrl(server.url)) {
        complain(`mcpServers.${name}.url must be an http(s) URL without a user name or password in it`);
      }
      return server;
    });
  problemsWithRules(toolPolicy, Object.keys(mcpServers)).forEach(complain);
  return { servers, policy: toolPolicy, claims: [...claims].toSorted(), lockFile };
}

function serverFrom(
  name: string,
  entry: ServerEntry,
  fill: (place: string, text: string, folder: boolean) => string,
): McpServerConfig {
  if ('url' in entry) {
    const headers = Object.entries(entry.headers ?? {}).map(([key, text]) => [
      key,
      fill(`headers.${key}`, text, false),
    ]);
    return { name, kind: 'http', url: fill('url', entry.url, false), headers: Object.fromEntries(headers) };
  }
  const { command, args = [], env = {} } = entry;
  return {
    name,
    kind: 'stdio',
    command,
    args: args.map((text, i) => fill(`args[${i}]`, text, true)),
    env: Object.fromEntries(Object.entries(env).map(([key, text]) => [key, fill(`env.${key}`, text, true)])),
  };
}

/** Whatever the user's values are: they are filled in as parts of a path or a query, or of a host's name. */
function isUsableUrl(text: string): boolean {
  const url = URL.parse(text.replaceAll(/\$\{[^{}]*\}/g, 'x'));
  return url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
}

/** A rule about a server that is not there would protect nobody, and nobody would notice. */
function problemsWithRules(policy: ToolPolicy, names: readonly string[]): string[] {
  const known = [...names, OWN_TOOLS];
  return Object.entries(policy).flatMap(([list, rules]) =>
    (rules as ToolPolicy['allow'] & object).flatMap(({ server }, i) =>
      server === undefined || server.includes('*') || known.includes(server)
        ? []
        : [`toolPolicy.${list}[${i}].server is no server of this file.${didYouMean(server, known)}`],
    ),
  );
}
