/**
 * Every page of the console, light and dark, wide and narrow, as pictures: `npm run console:screenshots -- [folder]`. Needs a
 * Chromium (`CARREL_TEST_CHROMIUM`, else `chromium` in the path) and what `npm run build` makes.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Module } from '@nestjs/common';
import { chromium } from 'playwright-core';
import { z } from 'zod';
import { Agent, createCarrelApp, loadConfig } from '../dist/index.js';
import { CarrelClient } from '../dist/client/client.js';
import { signToken } from '../dist/edge/token-signer.js';
import { scriptedModel } from '../dist/testing/scripted-model.js';

const FOLDER = process.argv[2] ?? 'console-screenshots';
const SIZES = { wide: { width: 1280, height: 860 }, narrow: { width: 360, height: 760 } };
const TEXT =
  'A carrel is a small desk in a library. Each reader has one, with sides that keep the neighbours out of sight. ' +
  'Monks had them first, along the cloister. Today they stand between the shelves, and still give a reader peace.';

class Refund {
  async run({ order, amount }, run) {
    await run.thinking(`Looking up order ${order}`, { progress: 0.3 });
    const order_ = await run.step('find order', async () => ({ order, paid: amount + 20 }), { effect: 'read' });
    await run.tool('ledger.balance', { order }, async () => ({ open: order_.paid }));
    const { decision } = await run.ask({
      kind: 'approval',
      title: `Refund ${amount} € of order ${order}?`,
      details: { order, amount, reason: 'arrived broken' },
      schema: { type: 'object', properties: { note: { type: 'string', title: 'Note for the customer' } } },
    });
    return { decision, amount };
  }
}
Agent({
  name: 'refund',
  description: 'Refunds an order when somebody approves',
  input: z.object({ order: z.string(), amount: z.number() }),
  effect: 'idempotent',
})(Refund);
class Demo {}
Module({ providers: [Refund] })(Demo);

const dir = await mkdtemp(join(tmpdir(), 'carrel-pictures-'));
const config = loadConfig({ CARREL_DATA_DIR: dir, CARREL_LOG_LEVEL: 'silent', PORT: '0' });
const ANSWER = `A **carrel** is for *one* reader:

- its sides keep the neighbours out of sight,
- what lies on it stays there over night.

| place | when |
| ----- | ---- |
| cloisters | from the 13th century |
| libraries | today |
`;
const answer = { text: ANSWER };
const model = scriptedModel([answer, answer]);
const app = await createCarrelApp({ config, agents: [Demo], models: { default: model } });
await app.listen(0, '127.0.0.1');
const url = await app.getUrl();
const token = await signToken(config, { userId: 'alice', roles: ['carrel:operator'], ttlSeconds: 3600 });

const client = new CarrelClient({ url, token: () => token });
await (await client.runs.start({ agent: 'summarise', input: { text: TEXT, sentences: 2 } })).result();
const versions = { left: { text: TEXT }, right: { text: TEXT.replace('small', 'large') } };
await (await client.runs.start({ agent: 'compare', input: versions })).result();
const analysis = await client.runs.start({ pipeline: 'adaptive-analysis', input: { text: TEXT } });
await analysis.result();
const chat = await client.runs.start({
  agent: 'assistant',
  input: { text: 'What is a carrel for?' },
  threadId: 'desk',
});
await chat.result();
const refund = await client.runs.start({ agent: 'refund', input: { order: 'A-1047', amount: 39.9 } });
for await (const { type } of refund.events()) if (type === 'agent_suspended') break;
await client.schedules.create({
  agent: 'summarise',
  input: { text: TEXT },
  cron: '0 7 * * 1-5',
  timeZone: 'Europe/Berlin',
});
const cancelled = await client.runs.start({ agent: 'summarise', input: { text: TEXT }, delayMs: 3_600_000 });

const PAGES = {
  'sign-in': '',
  agents: '#/',
  agent: '#/?agent=summarise',
  'agent-nested': '#/?agent=compare',
  pipelines: '#/pipelines',
  runs: '#/runs',
  run: `#/runs/${analysis.id}`,
  'run-asks': `#/runs/${refund.id}`,
  approvals: '#/approvals',
  threads: '#/threads',
  thread: '#/threads/desk',
  queue: '#/queue',
  schedules: '#/schedules',
  tools: '#/tools',
  usage: '#/usage',
  operator: '#/operator',
};

await mkdir(FOLDER, { recursive: true });
const executablePath = process.env.CARREL_TEST_CHROMIUM ?? '/usr/bin/chromium';
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
for (const colorScheme of ['light', 'dark']) {
  for (const [size, viewport] of Object.entries(SIZES)) {
    const context = await browser.newContext({ viewport, colorScheme, reducedMotion: 'reduce' });
    const page = await context.newPage();
    page.on('console', (message) => message.type() === 'error' && console.error(message.text()));
    page.on('pageerror', (error) => console.error(error));
    for (const [name, hash] of Object.entries(PAGES)) {
      await page.goto(`${url}/console/${hash}`);
      if (name === 'sign-in') {
        await page.getByRole('button', { name: 'Sign in' }).waitFor();
      } else {
        await page.locator('main h1').waitFor();
        await page.waitForTimeout(350); // what is drawn last has no name to wait for
        // what reads Markdown comes when it is needed first
        await page.locator('main .markdown > .prose').waitFor({ state: 'detached' });
      }
      await page.screenshot({ path: join(FOLDER, `${name}-${colorScheme}-${size}.png`) });
      if (name !== 'sign-in') continue;
      const session = JSON.stringify({ token, userId: 'alice', roles: ['carrel:operator'] });
      await page.evaluate((text) => sessionStorage.setItem('carrel.session', text), session);
      await page.reload();
    }
    await context.close();
  }
}
await browser.close();
await cancelled.cancel();
client.close();
await app.close();
await rm(dir, { recursive: true, force: true });
console.log(`${Object.keys(PAGES).length * 4} pictures in ${FOLDER}`);
