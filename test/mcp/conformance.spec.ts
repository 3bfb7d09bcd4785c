import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BuiltCli } from '../cli/built-cli.js';

/**
 * The public conformance suite for clients, in both of its requirement sets, against the client as Carrel uses it: every
 * scenario but those that test OAuth, which Carrel does not do (docs/mcp.md lists them).
 */
const SCENARIOS: readonly [name: string, version: string][] = [
  ['initialize', '2025-11-25'],
  ['tools_call', '2025-11-25'],
  ['elicitation-sep1034-client-defaults', '2025-11-25'],
  ['sse-retry', '2025-11-25'],
  ['json-schema-2020-12-preservation', '2025-11-25'],
  ['tools_call', '2026-07-28'],
  ['json-schema-2020-12-preservation', '2026-07-28'],
  ['request-metadata', '2026-07-28'],
  ['sep-2322-client-request-state', '2026-07-28'],
  ['http-standard-headers', '2026-07-28'],
  ['http-custom-headers', '2026-07-28'],
  ['http-invalid-tool-headers', '2026-07-28'],
  ['json-schema-ref-no-deref', '2026-07-28'],
];

const CLIENT = fileURLToPath(new URL('./conformance-client.ts', import.meta.url));
const MAIN = join(
  dirname(createRequire(import.meta.url).resolve('@modelcontextprotocol/conformance/package.json')),
  'dist/index.js',
);

const built = new BuiltCli();
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'carrel-conformance-'));
});
afterAll(async () => {
  await built.remove();
  await rm(folder, { recursive: true, force: true });
});

/** @returns what the suite prints, and its exit code */
function conformance(...args: string[]): Promise<{ code: number | string; output: string }> {
  const env = { PATH: process.env.PATH, CARREL_DIST: join(built.dir, 'dist') };
  const { promise, resolve } = Promise.withResolvers<{ code: number | string; output: string }>();
  execFile(process.execPath, [MAIN, ...args], { env, timeout: 60_000, cwd: folder }, (error, stdout, stderr) =>
    resolve({ code: error?.code ?? 0, output: `${stdout}${stderr}` }),
  );
  return promise;
}

describe('the conformance suite for clients', () => {
  it.each(SCENARIOS)('passes: %s (%s)', async (scenario, version) => {
    const command = `${process.execPath} ${CLIENT}`;
    const more = ['--spec-version', version, '--timeout', '50000', '-o', folder];
    const { code, output } = await conformance('client', '--command', command, '--scenario', scenario, ...more);
    if (code !== 0) throw new Error(output);
    expect(output).toMatch(/0 failed/);
  });

  it.each(['2025-11-25', '2026-07-28'])('has no other scenarios without OAuth (%s)', async (version) => {
    const { output } = await conformance('list', '--client', '--requirements', version);
    const [, clients = ''] = /^Client scenarios.*\n((?: +- .*\n)+)/m.exec(output) ?? [];
    const names = [...clients.matchAll(/^\s+- ([\w/.-]+)/gm)].map(([, name]) => name!);
    const here = SCENARIOS.filter(([, of]) => of === version).map(([name]) => name);
    expect(names.length).toBeGreaterThan(here.length);
    expect(names.filter((name) => !name.startsWith('auth/') && !here.includes(name))).toEqual([]);
  });
});
