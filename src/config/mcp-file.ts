import { dirname, join, resolve } from 'node:path';
import { didYouMean } from '../shared/near-names.js';
import { readJsonFile } from './json-file.js';
import type { McpConfig, McpServerConfig, ToolPolicy } from './mcp-config.js';
import { MCP_FILE, type McpFile } from './mcp-file.schema.js';
import { fillIn } from './placeholders.js';
import type { Secrets } from './secrets.js';

type FileFacts = Pick<McpConfig, 'servers' | 'policy' | 'claims' | 'lockFile'>;
type DistributedOmit<T, Key extends PropertyKey> = T extends unknown ? Omit<T, Key> : never;
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
  const entries = Object.entries(mcpServers).filter(([, entry]) => !entry.disabled);
  const servers = entries.map(([name, entry]) => {
    const texts = new ServerTexts(secrets, 'command' in entry, (problem) => complain(`mcpServers.${name}.${problem}`));
    const server = serverFrom(name, entry, texts);
    if (server.kind === 'http' && !isUsableUrl(server.url)) {
      complain(`mcpServers.${name}.url must be an http(s) URL without a user name or password in it`);
    }
    return { ...server, claims: [...texts.claims].toSorted(), secrets: [...texts.secrets] };
  });
  problemsWithRules(toolPolicy, Object.keys(mcpServers)).forEach(complain);
  const claims = [...new Set(servers.flatMap((server) => server.claims))].toSorted();
  return { servers, policy: toolPolicy, claims, lockFile };
}

/** Fills in the texts of one server, and keeps what they ask for. */
class ServerTexts {
  readonly claims = new Set<string>();
  readonly secrets = new Set<string>();

  constructor(
    private readonly known: Secrets,
    private readonly hasFolder: boolean,
    private readonly complain: (problem: string) => void,
  ) {}

  fill(place: string, text: string): string {
    const filled = fillIn(text, this.known, { folder: this.hasFolder });
    for (const problem of filled.problems) this.complain(`${place} ${problem}`);
    for (const claim of filled.claims) this.claims.add(claim);
    for (const secret of filled.secrets) this.secrets.add(secret);
    return filled.text;
  }

  fillAll(place: string, texts: Readonly<Record<string, string>>): Record<string, string> {
    return Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, this.fill(`${place}.${key}`, text)]));
  }
}

function serverFrom(
  name: string,
  entry: ServerEntry,
  texts: ServerTexts,
): DistributedOmit<McpServerConfig, 'claims' | 'secrets'> {
  if ('url' in entry) {
    return {
      name,
      kind: 'http',
      url: texts.fill('url', entry.url),
      headers: texts.fillAll('headers', entry.headers ?? {}),
    };
  }
  const { command, args = [], env = {} } = entry;
  const filledArgs = args.map((text, i) => texts.fill(`args[${i}]`, text));
  return { name, kind: 'stdio', command, args: filledArgs, env: texts.fillAll('env', env) };
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
