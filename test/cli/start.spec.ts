import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { BuiltCli } from './built-cli.js';

const cli = new BuiltCli();
afterAll(() => cli.remove());

let dirs = 0;
function start(args: string[] = [], env: NodeJS.ProcessEnv = {}) {
  return cli.start(['start', '--port', '0', '--data', join(cli.dir, `data-${dirs++}`), ...args], env);
}

function file(name: string, text: string): string {
  const path = join(cli.dir, name);
  writeFileSync(path, text);
  return path;
}

describe('carrel start', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    'says once where it listens, answers there, and ends well on %s',
    async (signal) => {
      const server = start();
      const line = await server.line(/^Carrel listens on /);
      const [, url] = /^Carrel listens on (http:\/\/127\.0\.0\.1:\d+)$/.exec(line) ?? [];
      expect((await fetch(`${url}/health`)).status).toBe(200);
      expect((await fetch(`${url}/ready`)).status).toBe(200);
      server.child.kill(signal);
      const { code, stdout, stderr } = await server.ended;
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout.match(/Carrel listens on/g)).toHaveLength(1);
      const logged = stdout.split('\n').filter((text) => text && !text.startsWith('Carrel'));
      expect(() => logged.map((text) => JSON.parse(text) as unknown)).not.toThrow();
    },
  );

  it('serves the agents of a file of your own', async () => {
    const agents = file(
      'greeting.module.mjs',
      `import { Module } from '@nestjs/common';
       import { Agent } from './dist/index.js';
       import { z } from 'zod';
       class Greet { run(input) { return { text: 'Hello ' + input.name }; } }
       Agent({ name: 'greet', description: 'Greets', input: z.object({ name: z.string() }) })(Greet);
       class Greetings {}
       Module({ providers: [Greet] })(Greetings);
       export default [Greetings];`,
    );
    const server = start(['--agents', agents], { CARREL_JWT_SECRET: 's'.repeat(32) });
    const url = (await server.line(/^Carrel listens on /)).split(' ').at(-1);
    const { stdout: token } = await cli.run(['token', '--user', 'alice'], { CARREL_JWT_SECRET: 's'.repeat(32) });
    const response = await fetch(`${url}/v1/agents/greet`, { headers: { authorization: `Bearer ${token.trim()}` } });
    expect(response.status).toBe(200);
    server.child.kill('SIGTERM');
    expect((await server.ended).code).toBe(0);
  });
});

describe('a boot that fails', () => {
  it.each<[string, string | undefined, RegExp]>([
    ['is missing', undefined, /there is no file .*agents-0\.mjs/],
    ['is broken', 'export default {', /can't be loaded/],
    ['throws', 'throw new Error("no database")', /can't be loaded: no database/],
    ['imports what is not there', 'import "./nowhere.mjs"', /can't be loaded: .*nowhere\.mjs/],
    [
      'has no default export',
      'export class A {}',
      /it has no default export; its default export must be a Nest module class/,
    ],
    ['exports a function', 'export default () => 1', /its default export is no class \(function\)/],
    ['exports an object', 'export default {}', /its default export is no class \(object\)/],
    ['exports an empty list', 'export default []', /an empty list/],
    ['exports a plain class', 'export default class Foo {}', /the class Foo is not decorated with @Module/],
    [
      'exports an agent by itself',
      `import { Agent } from './dist/index.js';
       import { z } from 'zod';
       class Greet { run() { return 1; } }
       export default Agent({ name: 'greet', description: 'Greets', input: z.object({}) })(Greet);`,
      /the class Greet is not decorated with @Module/,
    ],
    ['exports a list of other things', 'export default [class {}, 1]', /not everything in its list is a class/],
  ])('because a file of agents %s names the file', async (what, text, why) => {
    const name = text === undefined ? 'agents-0.mjs' : `agents-${what.replaceAll(' ', '-')}.mjs`;
    if (text !== undefined) file(name, text);
    const { code, stdout, stderr } = await start(['--agents', name]).ended;
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^carrel: invalid_config: --agents agents-/);
    expect(stderr).toMatch(why);
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  it('because of the configuration lists all problems, without a stack', async () => {
    const { code, stdout, stderr } = await start([], { CARREL_RUN_SLOTS: 'x', CARREL_LOG_LEVL: 'debug' }).ended;
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toBe(
      'carrel: invalid_config:\n' +
        '  CARREL_RUN_SLOTS is "x": it must be a whole number from 1 to 100000\n' +
        '  CARREL_LOG_LEVL is not a setting: did you mean CARREL_LOG_LEVEL?\n',
    );
  });

  it('shows the stack to those who debug', async () => {
    const { stderr } = await start([], { CARREL_RUN_SLOTS: 'x', CARREL_LOG_LEVEL: 'debug' }).ended;
    expect(stderr).toMatch(/^\s+at .*load-config/m);
  });

  it('because production has no key names the three variables', async () => {
    const { code, stderr } = await start([], { NODE_ENV: 'production' }).ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(/CARREL_JWT_SECRET, CARREL_JWKS_URL, CARREL_JWT_PUBLIC_KEY_FILE/);
  });

  it('because the port is taken says so', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    try {
      const { code, stdout, stderr } = await start(['--port', String(port)], { CARREL_LOG_LEVEL: 'silent' }).ended;
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toBe(
        `carrel: invalid_config: the server can't listen on 127.0.0.1, port ${port}: ` +
          'the port is taken; choose another with --port, or a free one with --port 0\n',
      );
    } finally {
      other.close();
    }
  });
});
