import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { BuiltCli, type Running } from './built-cli.js';

const cli = new BuiltCli();
afterAll(() => cli.remove());

const WATCHED = ['--import', resolve(import.meta.dirname, '../fixtures/loaded-packages.mjs')];
/** What runs, pages and servers of others need; the start does not. */
const LARGE = [
  '@ai-sdk/openai-compatible',
  '@fastify/static',
  '@modelcontextprotocol/client',
  '@nestjs/swagger',
  'chrono-node',
  'class-validator',
  'compromise',
  'diff',
  'es-toolkit',
  'franc-min',
  'marked',
  'minisearch',
  'pg',
  'socket.io-client',
  'stopword',
  'undici',
];

let starts = 0;
function start(env: NodeJS.ProcessEnv = {}, nodeArgs: readonly string[] = []): Running {
  return cli.start(['start', '--port', '0', '--data', join(cli.dir, `data-${starts++}`)], env, nodeArgs);
}

async function urlOf(server: Running): Promise<string> {
  return (await server.line(/^Carrel listens on /)).split(' ').at(-1)!;
}

async function stop(server: Running): Promise<{ code: number | null; stderr: string }> {
  server.child.kill('SIGTERM');
  const { code, stderr } = await server.ended;
  return { code, stderr };
}

describe('carrel start', () => {
  it('loads no large library before it listens, and whatever it needs when it is asked', async () => {
    const server = start({}, WATCHED);
    const url = await urlOf(server);
    expect((await fetch(`${url}/docs-json`)).status).toBe(200);
    const { code, stderr } = await stop(server);
    expect(code).toBe(0);
    const { before, after } = JSON.parse(stderr) as { before: string[]; after: string[] };
    expect(before).toEqual(expect.arrayContaining(['@nestjs/core', 'fastify', 'socket.io']));
    expect(before.filter((name) => LARGE.includes(name))).toEqual([]);
    expect(after).toContain('@nestjs/swagger');
  });
});

describe('compiled code', () => {
  const beside = join(cli.dir, '.compile-cache');
  const home = join(cli.dir, 'home');
  const inHome = join(home, '.cache/carrel/compiled');
  beforeEach(() => rmSync(beside, { recursive: true, force: true }));

  it('is kept beside the code', async () => {
    expect((await cli.run(['--version'], { HOME: home })).code).toBe(0);
    expect(readdirSync(beside)).toHaveLength(1);
    expect(existsSync(inHome)).toBe(false);
  });

  it("is kept in the account's folder when that can't be written", async () => {
    writeFileSync(beside, 'in the way');
    expect((await cli.run(['--version'], { HOME: home })).code).toBe(0);
    expect(readdirSync(inHome)).toHaveLength(1);
  });

  it('is not kept when neither can be written, and the server runs', async () => {
    writeFileSync(beside, 'in the way');
    const server = start({ HOME: join(beside, 'nowhere') });
    expect((await fetch(`${await urlOf(server)}/ready`)).status).toBe(200);
    expect(await stop(server)).toEqual({ code: 0, stderr: '' });
  });
});
