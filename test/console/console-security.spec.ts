import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Locator } from 'playwright-core';
import { scriptedModel } from '../../src/testing/scripted-model.js';
import { ScriptedAgentsModule } from '../scripted-agents.module.js';
import { ConsoleWorld } from './console-world.js';

const AXE = readFileSync('node_modules/axe-core/axe.min.js', 'utf8');
const PAGES = [
  '',
  '?agent=summarise',
  'pipelines',
  'runs',
  'approvals',
  'threads',
  'queue',
  'schedules',
  'tools',
  'usage',
  'operator',
  'operator/users/alice',
  'nowhere',
];
/** What agents and tools may say, and no page may do. */
const HOSTILE = [
  '<script>globalThis.owned = 1</script>',
  '<img src=x onerror="globalThis.owned = 1">',
  '<svg onload="globalThis.owned = 1">',
  '<a href="javascript:globalThis.owned=1">click</a>',
  '"></pre><iframe src="https://evil.example"></iframe>',
  '{{constructor.constructor("globalThis.owned = 1")()}}',
  '<style>body { display: none }</style>',
  '<form action="https://evil.example"><input name="password"></form>',
  '[click](javascript:globalThis.owned=1)',
  '[click](JaVaScRiPt:globalThis.owned=1)',
  '[click](&#106;avascript:globalThis.owned=1)',
  '[click](<\tjavascript:globalThis.owned=1>)',
  '[click][there]\n[there]: javascript:globalThis.owned=1',
  '<javascript:globalThis.owned=1>',
  '[click](vbscript:owned)',
  '[click](data:text/html;base64,PHNjcmlwdD5vd25lZD0xPC9zY3JpcHQ+)',
  '[click](file:///etc/passwd)',
  '[click](blob:https://evil.example/1)',
  '[click](#/operator)',
  '[click](/v1/me)',
  '[click](//evil.example)',
  '![x](data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9Im93bmVkPTEiLz4=)',
  '![x](javascript:globalThis.owned=1)',
  '# The page has one heading of the first level',
  '- [x] a box that nobody can tick',
  '> A footnote[^main].\n>\n> [^main]: It has no name in the page.',
  'What is too deep comes behind this.',
  '>'.repeat(1_000),
  'And this.',
  '['.repeat(1_000),
  'And this.',
  Array.from({ length: 60 }, (_, depth) => `${'  '.repeat(depth)}- deeper`).join('\n'),
];
/** What may be followed, by whoever wants to, and the address that it leads to. */
const LINKS: Readonly<Record<string, string>> = {
  '![a picture](https://evil.example/pixel.png)': 'https://evil.example/pixel.png',
  '[web](https://good.example/a "onmouseover=globalThis.owned=1")': 'https://good.example/a',
  '[quoted](<http://good.example/"onmouseover="globalThis.owned=1>)':
    'http://good.example/%22onmouseover=%22globalThis.owned=1',
  '[mail](mailto:someone@good.example)': 'mailto:someone@good.example',
  'www.good.example': 'http://www.good.example/',
};
/** Elements within elements: what is deeper could bring a browser down. */
const MAX_DEPTH = 50;
const HARMLESS = '**bold** and `code`\n\n| a | b |\n| - | - |\n| 1 | 2 |';
const SAID = [HARMLESS, ...HOSTILE, ...Object.keys(LINKS), 'the end of it'].join('\n\n');

describe('the console', () => {
  let world: ConsoleWorld;
  beforeAll(async () => {
    world = await ConsoleWorld.open({
      agents: [ScriptedAgentsModule],
      models: { default: scriptedModel([{ text: SAID }]) },
    });
  }, 30_000);
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    expect(world.problems).toEqual([]);
  });

  it.each(['light', 'dark'] as const)(
    'has nothing serious that axe finds, on any page, %s',
    async (colorScheme) => {
      // the policy lets no script of a test in, either
      const context = await world.newContext({ bypassCSP: true, colorScheme });
      const page = await context.newPage();
      const user = await world.server.as('alice');
      const { id } = await user.start('echo', { text: HARMLESS });
      await page.goto(await world.link('alice', ['carrel:operator']));
      await page.getByRole('navigation').waitFor();
      const found: unknown[] = [];
      for (const name of [...PAGES, `runs/${id}`]) {
        await page.goto(`${world.network.url}/console/#/${name}`);
        await page.locator('main').locator('h1, strong').first().waitFor();
        if (name.startsWith('runs/')) await page.locator('.markdown td').first().waitFor();
        await page.addScriptTag({ content: AXE });
        const violations = await page.evaluate(async () => {
          const { axe } = globalThis as unknown as { axe: { run(): Promise<{ violations: Violation[] }> } };
          type Violation = { id: string; impact: string; nodes: { html: string; failureSummary: string }[] };
          return (await axe.run()).violations
            .filter(({ impact }) => impact === 'serious' || impact === 'critical')
            .map(
              ({ id: rule, nodes }) =>
                `${rule}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join('\n')}`,
            );
        });
        found.push(...violations.map((violation) => `${name}: ${violation}`));
      }
      expect(found).toEqual([]);
    },
    60_000,
  );

  /** What somebody's words have become, in one part of a page. */
  async function becameOf(part: Locator) {
    const all = (selector: string) => part.locator(selector);
    return {
      forbidden: await all('script, style, img, svg, iframe, form, input, object, h1, h2, [id], [onerror]').count(),
      links: await all('a').evaluateAll((links) => links.map((link) => link.getAttribute('href'))),
      // of links that lead away
      careless: await all('a:not([rel="noopener noreferrer"][target="_blank"])').count(),
      deep: await all('* '.repeat(MAX_DEPTH).trim()).count(),
      bold: await all('strong:text-is("bold")').count(),
      cells: await all('td:text-is("2")').count(),
    };
  }
  const INERT = { forbidden: 0, links: Object.values(LINKS), careless: 0, deep: 0, bold: 1, cells: 1 };

  it('shows what agents say as Markdown that can do nothing, to mallory and to nobody else', async () => {
    const [page, peggys] = await Promise.all([world.signIn('mallory'), world.signIn('peggy')]);
    const asked: string[] = [];
    page.on('request', (request) => asked.push(new URL(request.url()).host));
    const mallory = await world.server.as('mallory');

    const streamed = await mallory.start('stream', { text: SAID });
    await page.goto(`${world.network.url}/console/#/runs/${streamed.id}`);
    const says = page.getByRole('region', { name: 'What the agent says', exact: true });
    await says.getByText('the end of it').waitFor();
    await says.locator('strong').first().waitFor();
    expect(await becameOf(says)).toEqual(INERT);

    const { id } = await mallory.start('echo', { text: SAID });
    await page.goto(`${world.network.url}/console/#/runs/${id}`);
    const result = page.getByRole('region', { name: 'Result', exact: true }).locator('.markdown');
    await result.locator('strong').first().waitFor();
    expect(await becameOf(result)).toEqual(INERT);
    await page.getByRole('group', { name: 'Timeline', exact: true }).getByRole('button', { name: /look/ }).click();
    const chosen = page.getByRole('region', { name: 'Chosen', exact: true });
    await chosen.getByText('onerror').first().waitFor();
    expect(await becameOf(chosen)).toMatchObject({ forbidden: 0, links: [] });

    await page.goto(`${world.network.url}/console/#/threads/talk`);
    await page.getByLabel('Your message').fill('**my own** <b>words</b>');
    await page.getByRole('button', { name: 'Send', exact: true }).click();
    const log = page.getByRole('log');
    await log.getByText('the end of it').waitFor();
    await log.getByText('**my own** <b>words</b>', { exact: true }).waitFor();
    await log.locator('strong').first().waitFor();
    expect(await becameOf(log)).toEqual(INERT);

    expect(await page.evaluate(() => (globalThis as { owned?: number }).owned)).toBeUndefined();
    expect(new Set(asked)).toEqual(new Set([new URL(world.network.url).host]));
    await peggys.goto(`${world.network.url}/console/#/threads/talk`);
    await peggys.getByLabel('Your message').waitFor();
    expect(await peggys.content()).not.toContain('the end of it');
  }, 40_000);

  it('has a strict policy, and files that may be kept by their names', async () => {
    const page = await fetch(`${world.server.url}/console/`);
    const policy = page.headers.get('content-security-policy')!;
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).toContain("style-src 'self';");
    expect(policy).not.toContain('unsafe');
    expect(page.headers.get('cache-control')).toBe('no-cache');
    const [, script] = /src="\.\/(assets\/[^"]+\.js)"/.exec(await page.text())!;
    const asset = await fetch(`${world.server.url}/console/${script}`);
    expect(asset.headers.get('cache-control')).toContain('immutable');
    expect((await fetch(`${world.server.url}/console`, { redirect: 'manual' })).status).toBe(301);
    expect((await fetch(`${world.server.url}/console/../package.json`)).status).not.toBe(200);
    expect((await fetch(`${world.server.url}/console/%2e%2e/%2e%2e/package.json`)).status).not.toBe(200);
  });

  it('loads at most 300 KiB before it can be used', () => {
    const folder = 'dist/console';
    const html = readFileSync(join(folder, 'index.html'), 'utf8');
    const first = [...html.matchAll(/(?:src|href)="\.\/(assets\/[^"]+)"/g)].map(([, file]) => join(folder, file!));
    const page = readdirSync(join(folder, 'assets'))
      .filter((name) => name.startsWith('agents-'))
      .map((name) => join(folder, 'assets', name));
    const bytes = [...first, ...page].map((file) => gzipSync(readFileSync(file)).length);
    expect(bytes.reduce((sum, size) => sum + size, 0)).toBeLessThan(300 * 1024);
    expect(statSync(join(folder, 'index.html')).size).toBeGreaterThan(0);
  });
});
