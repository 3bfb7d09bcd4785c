import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { loadConfig } from '../../src/config/load-config.js';
import { CarrelServer, type CarrelUser, type RunJson } from '../carrel-server.js';
import { OpenAiDouble } from '../models/openai-double.js';
import { ScriptedAgentsModule } from '../scripted-agents.module.js';
import { blocksOf, modulesOf, problemsIn } from './code-blocks.js';
import { DOCUMENTS, linksOf } from './all-documents.js';

/** What a reader of README.md has at hand. */
const AT_HAND = `
declare global {
  const token: string;
  const text: string;
}
export {};
`;

describe('the documents', () => {
  it('have TypeScript that fits the public API', () => {
    const modules = DOCUMENTS.flatMap(modulesOf);
    expect(modules.length).toBeGreaterThan(10);
    expect(problemsIn([...modules, AT_HAND])).toEqual([]);
  });

  it.each(DOCUMENTS)('%s has links that lead somewhere', (path) => {
    const broken = linksOf(path).filter((link) => {
      const [file, anchor] = link.split('#') as [string, string?];
      const target = file === '' ? path : join(dirname(path), file);
      return !existsSync(target) || (anchor !== undefined && !anchorsOf(target).has(anchor));
    });
    expect(broken).toEqual([]);
  });

  it('have JSON that is JSON', () => {
    for (const path of DOCUMENTS)
      for (const block of blocksOf(path, 'json')) expect(() => JSON.parse(block)).not.toThrow();
  });
});

describe('the configuration files of the documents', () => {
  const ofKind = (...keys: string[]) =>
    DOCUMENTS.flatMap((path) => blocksOf(path, 'json').map((text) => ({ path, text }))).filter(({ text }) =>
      keys.some((key) => key in (JSON.parse(text) as object)),
    );
  const servers = ofKind('mcpServers', 'toolPolicy');
  const models = ofKind('providers');
  let folder: string;
  beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), 'carrel-files-'))));
  afterAll(() => rm(folder, { recursive: true }));

  /** As the server reads them, with every secret that they name. */
  const load = async (setting: 'CARREL_MCP_FILE' | 'CARREL_MODELS_FILE', text: string) => {
    const file = join(folder, 'file.json');
    await writeFile(file, text);
    const secrets = [...text.matchAll(/\$\{secret\.(\w+)\}/g)].map(([, name]) => [`CARREL_SECRET_${name}`, 'a secret']);
    return loadConfig({ [setting]: file, ...(Object.fromEntries(secrets) as Record<string, string>) });
  };

  it.each(servers)('$path has MCP servers and a policy that can be used (case $#)', async ({ text }) => {
    const file = JSON.parse(text) as { mcpServers?: object };
    const { mcp } = await load(
      'CARREL_MCP_FILE',
      JSON.stringify({ mcpServers: { files: { command: 'files' } }, ...file }),
    );
    expect(mcp.servers.length).toBeGreaterThan(0);
  });

  it.each(models)('$path has models that can be used (case $#)', async ({ text }) => {
    expect((await load('CARREL_MODELS_FILE', text)).models).toBeDefined();
  });

  it('are refused when they can not', async () => {
    expect([servers.length, models.length]).toEqual([3, 2]);
    await expect(load('CARREL_MODELS_FILE', models[0]!.text.replace('"providers"', '"suppliers"'))).rejects.toThrow(
      /suppliers/,
    );
  });
});

describe('docs/start.md', () => {
  it('has MCP servers, a model and commands that work together', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'carrel-start-'));
    await using double = await OpenAiDouble.start(() => ({ text: 'Milk' }));
    const [servers, models] = blocksOf('docs/start.md', 'json');
    const env = {
      CARREL_MCP_FILE: join(folder, 'mcp.json'),
      CARREL_MODELS_FILE: join(folder, 'models.json'),
      PATH: [resolve('node_modules/.bin'), process.env.PATH].join(delimiter), // what npm install --global does
    };
    await writeFile(env.CARREL_MCP_FILE, servers!);
    await writeFile(env.CARREL_MODELS_FILE, models!.replace(/http:[^"]+/, double.baseURL));
    await using server = await CarrelServer.start({ env });
    const alice = await server.as('alice');
    const run = async (agent: string) => {
      const [body] = bodiesIn('docs/start.md').filter((one) => one.agent === agent);
      return (await alice.http<RunJson>('POST', '/v1/runs', body, { prefer: 'wait=20' })).body;
    };

    expect(await run('tools')).toMatchObject({
      status: 'completed',
      result: {
        way: 'mcp',
        call: { server: 'files', tool: 'write_file' },
        result: { text: expect.stringContaining('notes.txt') },
      },
    });
    expect(await run('assistant')).toMatchObject({ status: 'completed', result: { text: 'Milk', model: 'default' } });
    const offered = (double.seen[0]!.body.tools ?? []).map((tool) => tool.function.name);
    expect(offered).toEqual(expect.arrayContaining(['files__read_text_file', 'memory__read_graph']));
    expect(offered).not.toContain('memory__delete_entities');
    await rm(folder, { recursive: true });
  });
});

describe('docs/pipelines.md', () => {
  let server: CarrelServer;
  let alice: CarrelUser;

  beforeAll(async () => {
    server = await CarrelServer.start({ agents: [ScriptedAgentsModule] });
    alice = await server.as('alice');
  });

  afterAll(() => server.close());

  const run = async (body: object) => (await alice.http<RunJson>('POST', '/v1/runs', body, { prefer: 'wait=20' })).body;

  it('has a pipeline as data, and a command, that work and give what it says', async () => {
    const [request, result] = blocksOf('docs/pipelines.md', 'json').map((block) => JSON.parse(block) as object);
    const { output } = result as { output: unknown };
    expect(await run(request!)).toMatchObject({ status: 'completed', result: { output } });
    const [command] = blocksOf('docs/pipelines.md', 'sh');
    const body = JSON.parse(/-d '([^']+)'/.exec(command!)![1]!) as object;
    expect(await run(body)).toMatchObject({ status: 'completed', result: { output: { report: expect.any(String) } } });
  });

  it('says what becomes of a run whose steps are skipped, fail, or have a fallback', async () => {
    const bad = { name: 'bad', agent: 'fail', input: {}, retry: { attempts: 1 } };
    const next = {
      name: 'next',
      agent: 'echo',
      dependsOn: ['bad'],
      input: { text: { '??': [{ var: 'steps.bad' }, 'none'] } },
    };
    const end = async (...steps: object[]) => run({ pipeline: { steps }, input: {} });
    expect(await end({ ...bad, when: false }, next)).toMatchObject({
      status: 'completed',
      result: { output: { text: 'none' } },
    });
    expect(await end(bad, next)).toMatchObject({ status: 'failed', error: { code: 'pipeline_failed' } });
    expect(await end({ ...bad, continueOnError: true }, next)).toMatchObject({
      status: 'degraded',
      result: { output: { text: 'none' } },
    });
    expect(await end({ ...bad, fallback: { value: 'else' } }, next)).toMatchObject({
      status: 'degraded',
      result: { output: { text: 'else' } },
    });
  });
});

/** What a document's commands send. */
function bodiesIn(path: string): { agent?: string }[] {
  const commands = blocksOf(path, 'sh').join('\n');
  return [...commands.matchAll(/-d '([^']+)'/g)].map(([, body]) => JSON.parse(body!) as { agent?: string });
}

/** As GitHub makes them of headings. */
function anchorsOf(path: string): Set<string> {
  const headings = [...readFileSync(path, 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, heading]) => heading!);
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}
