import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../src/config/load-config.js';
import { isCarrelError } from '../../src/shared/errors.js';

let folder: string;
let file: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'carrel-mcp-file-'));
  file = join(folder, 'mcp.json');
});
afterAll(() => rm(folder, { recursive: true }));

async function load(content: unknown, env: NodeJS.ProcessEnv = {}) {
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
  return loadConfig({ CARREL_MCP_FILE: file, ...env });
}

async function problemsWith(content: unknown, env: NodeJS.ProcessEnv = {}): Promise<string[]> {
  try {
    await load(content, env);
  } catch (error) {
    if (!isCarrelError(error) || error.code !== 'invalid_config') throw error;
    const prefix = `CARREL_MCP_FILE, ${file}: `;
    return error.message.split('\n').map((line) => {
      expect(line.startsWith(prefix)).toBe(true);
      return line.slice(prefix.length);
    });
  }
  throw new Error('the file was accepted');
}

const stdio = (entry: object) => ({ mcpServers: { s: { command: 'mcp', ...entry } } });
const http = (entry: object) => ({ mcpServers: { s: { url: 'https://mcp.example.org/', ...entry } } });

describe('a good mcp.json', () => {
  it('is what other hosts write, with secrets filled in and the placeholders for the user left', async () => {
    const { mcp } = await load(
      {
        mcpServers: {
          files: {
            type: 'stdio',
            command: 'mcp-files',
            args: ['${user.folder}', '--as=${user.id}'],
            env: { KEY: '${secret.KEY}' },
          },
          tickets: {
            type: 'http',
            url: 'https://${user.claims.tenant}.example.org/mcp',
            headers: { 'x-a': 'b ${user.claims.https://x/y}' },
          },
          old: { command: 'x', disabled: true, args: ['${secret.NOT_SET}'] },
        },
        toolPolicy: {
          deny: [{ server: 'files', tool: 'write_*' }],
          trust: [{ server: 'app' }, { role: 'admin', agent: 'a' }],
        },
      },
      { CARREL_SECRET_KEY: 'k 1', PATH: '/bin', LANG: 'C', OTHER: 'x' },
    );
    expect(mcp).toMatchObject({
      servers: [
        {
          name: 'files',
          kind: 'stdio',
          command: 'mcp-files',
          args: ['${user.folder}', '--as=${user.id}'],
          env: { KEY: 'k 1' },
          claims: [],
        },
        {
          name: 'tickets',
          kind: 'http',
          url: 'https://${user.claims.tenant}.example.org/mcp',
          claims: ['https://x/y', 'tenant'],
        },
      ],
      policy: { deny: [{ server: 'files', tool: 'write_*' }] },
      claims: ['https://x/y', 'tenant'],
      environment: { PATH: '/bin', LANG: 'C' },
      lockFile: join(folder, 'mcp.lock.json'),
    });
    expect(mcp.servers).toHaveLength(2);
  });

  it('may be empty', async () => {
    expect((await load({})).mcp.servers).toEqual([]);
  });
});

describe('a bad mcp.json stops the boot, with the place and what to do', () => {
  it.each<[string, unknown, RegExp]>([
    ['that is no JSON', '{\n  "mcpServers": {,\n}', /^is not JSON: see line 2$/],
    ['that is cut off', '{"mcpServers": {', /^is not JSON/],
    ['that is a list', [], /must be an object/],
    [
      'as another host calls it',
      { servers: {} },
      /has "servers", which is not known\. There are \$schema, mcpServers, toolPolicy\./,
    ],
    [
      'with a bad name',
      { mcpServers: { 'a b': { command: 'x' } } },
      /^mcpServers\.a b can not be the name of a server/,
    ],
    ['with the name of the own tools', { mcpServers: { app: { command: 'x' } } }, /^mcpServers\.app can not be/],
    ['with an empty entry', { mcpServers: { s: {} } }, /^mcpServers\.s must have either "command"/],
    ['with both kinds', stdio({ url: 'https://x' }), /^mcpServers\.s must have either/],
    ['with an entry that is a text', { mcpServers: { s: 'x' } }, /^mcpServers\.s must have either/],
    ['with a misspelt key', stdio({ arg: [] }), /^mcpServers\.s has "arg", which is not known\. Did you mean "args"\?/],
    ['with a folder of its own', stdio({ cwd: '/' }), /^mcpServers\.s has "cwd", which is not known/],
    ['with args that are a text', stdio({ args: '-y x' }), /^mcpServers\.s\.args must be a list of texts/],
    ['with an arg that is a number', stdio({ args: ['a', 1] }), /^mcpServers\.s\.args\[1\] must be a text/],
    ['with a number in env', stdio({ env: { PORT: 1 } }), /^mcpServers\.s\.env\.PORT must be a text/],
    ['with no name of a variable', stdio({ env: { 'A-B': 'x' } }), /^mcpServers\.s\.env\.A-B is no name of a variable/],
    [
      'with a line break in a header',
      http({ headers: { 'x-a': 'a\nb' } }),
      /headers\.x-a must not have control characters/,
    ],
    ['with no name of a header', http({ headers: { 'x a': 'b' } }), /headers\.x a is no name of a header/],
    [
      'with a header of the protocol',
      http({ headers: { 'Mcp-Session-Id': 'x' } }),
      /has Mcp-Session-Id, which Carrel sets/,
    ],
    ['with the wrong type', http({ type: 'stdio' }), /^mcpServers\.s\.type must be "http"/],
    [
      'with the old transport',
      http({ type: 'sse' }),
      /^mcpServers\.s\.type is "sse", the transport that MCP has given up/,
    ],
    ['with a bad URL', http({ url: 'mcp.example.org' }), /^mcpServers\.s\.url must be an http\(s\) URL/],
    ['with a password in the URL', http({ url: 'https://a:b@example.org' }), /without a user name or password/],
    ['with a placeholder in the command', stdio({ command: '${user.id}' }), /^mcpServers\.s\.command must be the same/],
    [
      'with a variable of the environment',
      stdio({ args: ['${HOME}'] }),
      /args\[0\] asks for \$\{HOME\}, which there is not; there are/,
    ],
    ['with a misspelt placeholder', stdio({ args: ['${user.name}'] }), /asks for \$\{user\.name\}, which there is not/],
    ['with a placeholder without an end', stdio({ args: ['${user.id'] }), /args\[0\] has a "\$\{" without its "\}"/],
    ['with a folder for a URL', http({ url: 'https://x/${user.folder}' }), /which only a server that is a process has/],
    [
      'with a secret that is not set',
      stdio({ env: { K: '${secret.TOKEN}' } }),
      /^mcpServers\.s\.env\.K asks for \$\{secret\.TOKEN\}: set the variable CARREL_SECRET_TOKEN$/,
    ],
    [
      'with a rule about nobody',
      { toolPolicy: { deny: [{ server: 'flies' }] }, mcpServers: { files: { command: 'x' } } },
      /^toolPolicy\.deny\[0\]\.server is no server of this file\. Did you mean "files"\?/,
    ],
    [
      'with a misspelt rule',
      { toolPolicy: { allow: [{ tools: 'x' }] } },
      /^toolPolicy\.allow\[0\] has "tools", which is not known\. Did you mean "tool"\?/,
    ],
    ['with a misspelt list', { toolPolicy: { denied: [] } }, /^toolPolicy has "denied"/],
  ])('%s', async (_, content, problem) => {
    const problems = await problemsWith(content);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(problem);
  });

  it('with everything that is wrong at once, and never with a value in it', async () => {
    const problems = await problemsWith({
      mcpServers: {
        a: { command: 'x', env: { A: '${secret.A}', B: 5, C: 'hush-1' } },
        b: { url: 'hush-2' },
        'c c': { url: 'hush-3' },
      },
    });
    expect(problems.length).toBeGreaterThanOrEqual(2);
    expect(problems.join('\n')).not.toContain('hush');
  });

  it('when it is not there', async () => {
    expect(() => loadConfig({ CARREL_MCP_FILE: join(folder, 'nowhere.json') })).toThrow(/can not be read \(ENOENT\)/);
  });
});
