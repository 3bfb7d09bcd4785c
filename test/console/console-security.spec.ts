import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
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
  '[click](javascript:globalThis.owned=1)',
  '<a href="javascript:globalThis.owned=1">click</a>',
  '![x](https://evil.example/pixel.png)',
  '"></pre><iframe src="https://evil.example"></iframe>',
  '{{constructor.constructor("globalThis.owned = 1")()}}',
  '<style>body { display: none }</style>',
];

describe('the console', () => {
  let world: ConsoleWorld;
  beforeAll(async () => {
    world = await ConsoleWorld.open({ agents: [ScriptedAgentsModule] });
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
      const { id } = await user.start('echo', { text: 'seen by axe' });
      await page.goto(await world.link('alice', ['carrel:operator']));
      await page.getByRole('navigation').waitFor();
      const found: unknown[] = [];
      for (const name of [...PAGES, `runs/${id}`]) {
        await page.goto(`${world.network.url}/console/#/${name}`);
        await page.locator('main').locator('h1, strong').first().waitFor();
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

  it('shows whatever agents say as text', async () => {
    const page = await world.signIn('mallory');
    const asked: string[] = [];
    page.on('request', (request) => asked.push(new URL(request.url()).host));
    const user = await world.server.as('mallory');
    const { id } = await user.start('echo', { text: HOSTILE.join('\n') });
    await user.end(id);
    await page.goto(`${world.network.url}/console/#/runs/${id}`);
    await page.getByText('agent_completed').waitFor();
    await page.getByRole('group', { name: 'Timeline' }).getByRole('button').first().click();
    await page.getByRole('region', { name: 'Chosen' }).getByText('onerror').first().waitFor();
    expect(await page.evaluate(() => (globalThis as { owned?: number }).owned)).toBeUndefined();
    expect(
      await page.locator('main iframe, main script, main style, main img, main a[href^="javascript:"]').count(),
    ).toBe(0);
    expect(new Set(asked)).toEqual(new Set([new URL(world.network.url).host]));
  }, 30_000);

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
