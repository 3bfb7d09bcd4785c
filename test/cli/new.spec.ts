import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { BuiltCli } from './built-cli.js';

const cli = new BuiltCli();
afterAll(() => cli.remove());

const node = promisify(execFile);

describe('carrel new agent', () => {
  it('writes an agent that its own test passes and a server runs', async () => {
    const written = await cli.run(['new', 'agent', 'word-count']);
    expect({ code: written.code, stderr: written.stderr }).toEqual({ code: 0, stderr: '' });
    expect(written.stdout).toContain('carrel start --agents word-count.agent.mjs');
    await node(process.execPath, ['--test', 'word-count.agent.test.mjs'], { cwd: cli.dir });

    const data = join(cli.dir, 'data');
    const server = cli.start(['start', '--port', '0', '--data', data, '--agents', 'word-count.agent.mjs']);
    const url = (await server.line(/^Carrel listens on /)).split(' ').at(-1)!;
    const { stdout: token } = await cli.run(['token', '--user', 'alice', '--data', data]);
    const response = await fetch(`${url}/v1/runs`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token.trim()}`,
        'content-type': 'application/json',
        prefer: 'wait=10',
      },
      body: JSON.stringify({ agent: 'word-count', input: { text: 'one two three' } }),
    });
    expect(await response.json()).toMatchObject({ status: 'completed', result: { words: 3 } });
    server.child.kill('SIGTERM');
    await server.ended;
  }, 40_000);

  it('has a test that finds a mistake', async () => {
    await cli.run(['new', 'agent', 'wrong']);
    const path = join(cli.dir, 'wrong.agent.mjs');
    writeFileSync(path, readFileSync(path, 'utf8').replace('.filter(Boolean).length', '.length + 1'));
    await expect(node(process.execPath, ['--test', 'wrong.agent.test.mjs'], { cwd: cli.dir })).rejects.toThrow();
  }, 20_000);

  it('writes over nothing', async () => {
    const path = join(cli.dir, 'mine.agent.test.mjs');
    writeFileSync(path, '// mine');
    const { code, stdout, stderr } = await cli.run(['new', 'agent', 'mine']);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('is there already');
    expect(readFileSync(path, 'utf8')).toBe('// mine');
  });

  it.each(['', 'Word', '../up', 'two words', '1st', 'x'.repeat(65)])('refuses the name %j', async (name) => {
    const { code, stderr } = await cli.run(['new', 'agent', name]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/a name is/);
  });
});
