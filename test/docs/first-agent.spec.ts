import { execFile } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Browser } from 'playwright-core';
import { launchBrowser } from '../browser.js';
import { BuiltCli } from '../cli/built-cli.js';
import { blocksOf } from './code-blocks.js';

const node = promisify(execFile);
const GUIDE = 'docs/first-agent.md';

/** The commands of the guide, after the one that sets everything up. */
function commands(): string[][] {
  const [block] = blocksOf(GUIDE, 'sh');
  const lines = block!.split('\n').map((line) => line.replace(/#.*/, '').trim());
  return lines.filter((line) => line && !line.startsWith('npm')).map((line) => line.split(/\s+/));
}

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
    const [make, check, serve] = commands();
    expect((await cli.run(make!.slice(2))).code).toBe(0);
    await node(process.execPath, check!.slice(1), { cwd: cli.dir });

    const page = await browser.newPage();
    const run = async (text: string) => {
      await page.getByRole('link', { name: 'Agents', exact: true }).click();
      await page.getByRole('link', { name: 'word-count' }).click();
      await page.getByLabel('text').fill(text);
      await page.getByRole('button', { name: 'Run' }).click();
      await page.getByRole('group', { name: 'Timeline' }).waitFor();
    };
    const first = start(serve!.slice(2));
    await page.goto((await first.line(/console/)).split(' ').at(-1)!);
    await run('one two three');
    await page.getByText('"words": 3').first().waitFor();
    first.child.kill('SIGTERM');
    await first.ended;

    const path = join(cli.dir, 'word-count.agent.mjs');
    const [change] = blocksOf(GUIDE, 'js');
    writeFileSync(
      path,
      readFileSync(path, 'utf8').replace('async run({ text }, run) {', (line) => `${line}\n${change}`),
    );
    const second = start(serve!.slice(2));
    const link = (await second.line(/console/)).split(' ').at(-1)!;
    await page.goto(link);
    await run('one two three four');
    await page.getByRole('link', { name: /^Approvals/ }).click();
    await page.getByRole('heading', { name: 'Approvals' }).waitFor();
    const question = page.getByRole('article', { name: 'Count 18 characters?' });
    await question.getByRole('button', { name: 'Approve' }).click();
    await page.getByText('Nobody asks you anything').waitFor();
    await page.goBack();
    await page.getByText('"words": 4').first().waitFor();
    second.child.kill('SIGTERM');
    await second.ended;
  }, 60_000);
});
