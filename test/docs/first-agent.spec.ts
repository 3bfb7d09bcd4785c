import { execFile } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Browser } from 'playwright-core';
import { launchBrowser } from '../browser.js';
import { BuiltCli } from '../cli/built-cli.js';
import { approveInConsole, changed, commandsOf, runInConsole } from './first-agent-walk.js';

const node = promisify(execFile);
const GUIDE = readFileSync('docs/first-agent.md', 'utf8');

describe('the guide to the first agent', () => {
  const cli = new BuiltCli();
  let browser: Browser;
  beforeAll(async () => {
    cpSync(resolve('dist/console'), join(cli.dir, 'dist/console'), { recursive: true });
    browser = await launchBrowser();
  }, 30_000);
  afterAll(async () => {
    await browser.close();
    await cli.remove();
  });

  function start(args: readonly string[]) {
    return cli.start([...args, '--port', '0', '--data', join(cli.dir, 'data')]);
  }

  it('leads from nothing to a run in the console, and to one that asks', async () => {
    // those before them set everything up, which has been done
    const commands = commandsOf(GUIDE).filter((command) => command.startsWith('node '));
    const [make, check, serve] = commands.map((command) => command.split(/\s+/));
    expect((await cli.run(make!.slice(2))).code).toBe(0);
    await node(process.execPath, check!.slice(1), { cwd: cli.dir });

    const page = await browser.newPage();
    const first = start(serve!.slice(2));
    await runInConsole(page, linkIn(await first.line(/console/)));
    first.child.kill('SIGTERM');
    await first.ended;

    const agent = join(cli.dir, 'word-count.agent.mjs');
    writeFileSync(agent, changed(readFileSync(agent, 'utf8'), GUIDE));
    const second = start(serve!.slice(2));
    await approveInConsole(page, linkIn(await second.line(/console/)));
    second.child.kill('SIGTERM');
    await second.ended;
  }, 60_000);
});

function linkIn(line: string): string {
  return line.split(' ').at(-1)!;
}
