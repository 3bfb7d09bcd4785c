import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CarrelServer, type CarrelUser, type RunJson } from '../carrel-server.js';
import { ScriptedAgentsModule } from '../scripted-agents.module.js';
import { blocksOf, modulesOf, problemsIn } from './code-blocks.js';

const DOCUMENTS = ['README.md', 'CHANGELOG.md', ...readdirSync('docs').map((name) => join('docs', name))].filter(
  (path) => path.endsWith('.md'),
);

/** What a reader of README.md has at hand. */
const AT_HAND = `
declare global {
  const token: string;
  const text: string;
  class MyAgentsModule {}
  class LettersController {}
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
    const text = readFileSync(path, 'utf8').replaceAll(/^```[\s\S]*?^```/gm, '');
    const links = [...text.matchAll(/\]\((?!https?:)([^)\s]+)\)/g)].map(([, link]) => link!);
    const broken = links.filter((link) => {
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
