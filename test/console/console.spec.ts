import { Module } from '@nestjs/common';
import type { Page } from 'playwright-core';
import { z } from 'zod';
import type { AgentRun } from '../../src/agents/agent-run.js';
import { Agent } from '../../src/agents/agent.decorator.js';
import { AgentTool } from '../../src/agents/tools/agent-tool.decorator.js';
import { scriptedModel } from '../../src/testing/scripted-model.js';
import { ScriptedAgentsModule } from '../scripted-agents.module.js';
import { ConsoleWorld } from './console-world.js';

@Agent({ name: 'pay', description: 'Pays when somebody approves', input: z.object({ amount: z.number() }) })
class PayAgent {
  async run({ amount }: { amount: number }, run: AgentRun) {
    const { decision } = await run.ask({ kind: 'approval', title: `Pay ${amount}?` });
    return { decision };
  }
}

/** Digs until the test lets it, whatever its signal says. */
const dug = Promise.withResolvers<string>();

@Agent({ name: 'dig', description: 'Digs', input: z.object({ where: z.string() }) })
class DigAgent {
  async run({ where }: { where: string }, run: AgentRun) {
    await run.thinking(`digs in ${where}`, { progress: 0.4 });
    return run.tool('spade', { where }, () => dug.promise);
  }
}

class Ledger {
  @AgentTool({
    name: 'balance',
    description: 'Says what is left',
    input: z.object({ account: z.string() }),
    effect: 'read',
  })
  balance({ account }: { account: string }) {
    return `nothing is left of ${account}`;
  }
}

@Module({ providers: [PayAgent, DigAgent, Ledger] })
class PayModule {}

const TEXT = 'A carrel is a desk. It stands in a library. Each reader has one, and keeps to it.';

describe('the console', () => {
  let world: ConsoleWorld;

  beforeAll(async () => {
    world = await ConsoleWorld.open({
      agents: [ScriptedAgentsModule, PayModule],
      models: { default: scriptedModel([{ text: ['It is ', 'a desk.'] }]) },
      env: { CARREL_USER_MAX_SOCKETS: '20' },
    });
  }, 30_000);
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    expect(world.problems).toEqual([]);
  });

  async function run(page: Page, agent: string, fill: (form: Page) => Promise<void>): Promise<void> {
    await page.getByRole('navigation').getByRole('link', { name: 'Agents' }).click();
    await page.getByRole('link', { name: agent, exact: true }).click();
    await fill(page);
    await page.getByRole('button', { name: 'Run' }).click();
    await page.getByRole('group', { name: 'Timeline' }).waitFor();
  }

  const ended = (page: Page, status: string) => page.locator('main .title .status', { hasText: status }).waitFor();

  it('signs alice and bob in by links, each to what is their own', async () => {
    const [alice, bob] = await Promise.all([world.signIn('alice'), world.signIn('bob')]);
    await alice.getByRole('heading', { name: 'Agents' }).waitFor();
    await run(alice, 'summarise', (form) => form.getByLabel('text').fill(`${TEXT} Only alice reads this.`));
    await ended(alice, 'completed');
    await alice.getByText('agent_completed').waitFor();
    const address = alice.url().split('#')[1]!;

    await bob.getByRole('link', { name: 'Runs' }).click();
    await bob.getByText('No runs').waitFor();
    await bob.goto(`${bob.url().split('#')[0]}#${address}`);
    await bob.getByRole('alert').waitFor();
    expect(await bob.content()).not.toContain('Only alice reads this');
    expect(alice.url()).not.toContain('code=');
  }, 30_000);

  it('takes a link once, and none that is old or made up', async () => {
    const link = await world.link('carol');
    const page = await (await world.newContext()).newPage();
    await page.goto(link);
    await page.getByRole('navigation').waitFor();
    const other = await (await world.newContext()).newPage();
    await other.goto(link);
    await other.getByRole('alert').getByText('used before').waitFor();
    await other.goto(`${link.split('#')[0]}#code=${await world.server.token('carol')}`);
    await other.getByRole('alert').waitFor();
    await other.getByLabel('Token').fill('nonsense');
    await other.getByRole('button', { name: 'Sign in' }).click();
    await other.getByRole('alert').getByText('malformed').waitFor();
    await other.getByLabel('Token').fill(await world.server.token('carol'));
    await other.getByRole('button', { name: 'Sign in' }).click();
    await other.getByRole('navigation').waitFor();
  }, 30_000);

  it('runs a pipeline from its form, and shows its steps', async () => {
    const page = await world.signIn('dora');
    await page.getByRole('link', { name: 'Pipelines' }).click();
    await page.getByRole('group', { name: 'Steps of adaptive-analysis' }).waitFor();
    await page.getByRole('link', { name: 'adaptive-analysis' }).click();
    await page.getByLabel('text').fill(TEXT);
    await page.getByRole('button', { name: 'Run' }).click();
    await ended(page, 'completed');
    await page
      .getByRole('group', { name: 'Timeline' })
      .getByRole('button', { name: /triage/ })
      .click();
    await page.getByRole('region', { name: 'Chosen' }).getByText('step_completed').waitFor();
    await page.getByRole('navigation').getByRole('link', { name: 'Usage', exact: true }).click();
    await page.getByRole('img', { name: /^Runs by day, most on \d{4}-\d\d-\d\d: 1$/ }).waitFor();
    await page.getByRole('img', { name: /^Time by day/ }).waitFor();
  }, 30_000);

  it('schedules a run, and says what is wrong with its times, losing nothing of the form', async () => {
    const page = await world.signIn('erin');
    await page.getByRole('link', { name: 'Schedules' }).click();
    await page.getByText('Nothing is scheduled').waitFor();
    await page.getByRole('button', { name: 'New schedule' }).click();
    await page.getByRole('combobox', { name: 'Agent' }).fill('echo');
    await page.getByRole('option', { name: 'echo' }).click();
    await page.getByLabel('text').fill('good morning');
    await page.getByLabel('Times (cron)').fill('whenever');
    await page.getByRole('button', { name: 'Schedule', exact: true }).click();
    await page.getByRole('alert').getByText('cron').waitFor();
    expect(await page.getByLabel('text').inputValue()).toBe('good morning');
    await page.getByLabel('Times (cron)').fill('0 7 * * *');
    await page.getByRole('button', { name: 'Schedule', exact: true }).click();
    await page.getByRole('cell', { name: '0 7 * * *' }).waitFor();
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByRole('cell', { name: 'paused' }).waitFor();
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.getByText('Nothing is scheduled').waitFor();
  }, 30_000);

  it('tells how far a run is, cancels it and says what is still at work until it is down', async () => {
    const page = await world.signIn('frank');
    await run(page, 'dig', (form) => form.getByLabel('where').fill('the garden'));
    const timeline = page.getByRole('group', { name: 'Timeline', exact: true });
    await timeline.getByRole('button', { name: /spade/ }).waitFor();
    await timeline.getByRole('button', { name: /attempt 1 .* 40 %/ }).waitFor();
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    await page.getByRole('status').getByText('still at work: attempt 1, spade').waitFor();
    dug.resolve('up');
    await ended(page, 'cancelled');
    await page.getByRole('button', { name: 'Run again', exact: true }).waitFor();
  }, 30_000);

  it('lets a run be approved on another device, and goes on on the first', async () => {
    const [desk, phone] = await Promise.all([world.signIn('grace'), world.signIn('grace')]);
    await run(desk, 'pay', (form) => form.getByLabel('amount').fill('12'));
    await ended(desk, 'suspended');
    // as on any page, however far its row of pages is scrolled
    await phone.setViewportSize({ width: 360, height: 740 });
    await phone.getByRole('link', { name: 'Usage', exact: true }).click();
    await phone.getByRole('banner').getByRole('link', { name: '1 open approvals', exact: true }).click();
    const question = phone.getByRole('article', { name: 'Pay 12?' });
    await question.getByRole('button', { name: 'Approve' }).click();
    await phone.getByText('Nobody asks you anything').waitFor();
    await ended(desk, 'completed');
    await desk.getByText('"decision": "approved"').first().waitFor();
  }, 30_000);

  it('ends complete and in order when the network was lost in the middle', async () => {
    const page = await world.signIn('heidi');
    await run(page, 'chatter', (form) => form.getByLabel('events').fill('3000'));
    await page.getByText('agent_thinking').first().waitFor();
    world.network.down();
    await page.getByRole('status').getByText('Offline').waitFor();
    world.network.up();
    await ended(page, 'completed');
    await page.getByRole('region', { name: '3002 events' }).waitFor();
    await page.getByText('agent_completed').waitFor();
    // only what can be seen is drawn
    expect(await page.locator('.event-row').count()).toBeLessThan(80);
  }, 40_000);

  it('is a chat with the assistant', async () => {
    const page = await world.signIn('ivan');
    await page.getByRole('link', { name: 'Threads' }).click();
    await page.getByRole('link', { name: 'New conversation' }).click();
    await page.getByLabel('Your message').fill('What is a carrel?');
    await page.getByRole('button', { name: 'Send' }).click();
    const log = page.getByRole('log');
    await log.getByText('It is a desk.').waitFor();
    await log.getByText('What is a carrel?').waitFor();
  }, 30_000);

  it('shows the runs of one thread, from its page and by the address, and to nobody else', async () => {
    const [page, mia] = await Promise.all([world.signIn('liam'), world.signIn('mia')]);
    const [liam, other] = await Promise.all([world.server.as('liam'), world.server.as('mia')]);
    const inDesk = await liam.start('echo', { text: 'at the desk' }, { threadId: 'desk' });
    const inHall = await liam.start('echo', { text: 'in the hall' }, { threadId: 'hall' });
    const hers = await other.start('echo', { text: 'mia at hers' }, { threadId: 'desk' });
    await Promise.all([liam.end(inDesk.id), liam.end(inHall.id), other.end(hers.id)]);
    const linkTo = (of: Page, id: string) => of.getByRole('main').locator(`a[href$="/runs/${id}"]`);

    await page.getByRole('link', { name: 'Threads', exact: true }).click();
    await page.getByRole('link', { name: 'desk', exact: true }).click();
    await page.getByText('Runs of this thread').click();
    await page.getByRole('link', { name: 'All of them', exact: true }).click();
    await page.getByRole('heading', { name: 'Runs', exact: true }).waitFor();
    expect(page.url()).toMatch(/\/runs\?threadId=desk$/);
    await linkTo(page, inDesk.id).waitFor();
    expect(await linkTo(page, inHall.id).count()).toBe(0);

    await page.getByRole('combobox', { name: 'Thread', exact: true }).click();
    await page.getByRole('option', { name: 'hall', exact: true }).click();
    await linkTo(page, inHall.id).waitFor();
    expect(await linkTo(page, inDesk.id).count()).toBe(0);
    await page.getByRole('combobox', { name: 'Status', exact: true }).click();
    await page.getByRole('option', { name: 'failed', exact: true }).click();
    await page.getByText('No runs').waitFor();
    expect(page.url()).toMatch(/\/runs\?threadId=hall&status=failed$/);
    await page.goBack();
    await linkTo(page, inHall.id).waitFor();

    await mia.goto(`${world.network.url}/console/#/runs?threadId=desk`);
    await linkTo(mia, hers.id).waitFor();
    expect(await linkTo(mia, inDesk.id).count()).toBe(0);
  }, 30_000);

  it('calls a tool from its form', async () => {
    const page = await world.signIn('kim');
    await page.getByRole('link', { name: 'Tools', exact: true }).click();
    await page.getByText('app/balance').click();
    await page.getByLabel('account').fill('savings');
    await page.getByRole('button', { name: 'Call' }).click();
    await ended(page, 'completed');
    await page.getByText('nothing is left of savings').first().waitFor();
  }, 30_000);

  it('lets an operator, and nobody else, switch an agent off and look at one user’s runs, which is written down', async () => {
    const [operator, judy] = await Promise.all([world.signIn('olivia', ['carrel:operator']), world.signIn('judy')]);
    expect(await judy.getByRole('link', { name: 'Operator' }).count()).toBe(0);
    await judy.goto(`${world.network.url}/console/#/operator`);
    await judy.getByRole('alert').first().waitFor();
    await run(judy, 'echo', (form) => form.getByLabel('text').fill('judy was here'));

    await operator.getByRole('link', { name: 'Operator' }).click();
    await operator.getByLabel('Name').fill('echo');
    await operator.getByLabel('Reason').fill('it repeats itself');
    await operator.getByRole('button', { name: 'Switch off' }).click();
    await operator.getByRole('cell', { name: 'agent echo', exact: true }).waitFor();
    await judy.getByRole('button', { name: 'Run again' }).click();
    await judy.getByRole('alert').getByText('it repeats itself').waitFor();
    await operator.getByRole('button', { name: 'Switch on' }).click();
    await operator.getByText('Nothing is switched off').waitFor();

    await operator.goto(`${world.network.url}/console/#/operator/users/judy`);
    await operator.getByText('echo').first().click();
    await operator.getByText('judy was here').first().waitFor();
    await operator.getByRole('link', { name: 'All of it' }).first().click();
    await operator
      .getByRole('group', { name: 'Timeline' })
      .getByRole('button', { name: /attempt 1/ })
      .click();
    await operator.getByRole('region', { name: 'Chosen' }).getByText('agent_completed').waitFor();
    expect(await operator.getByRole('button', { name: 'Run again' }).count()).toBe(0);
    await operator.getByRole('link', { name: 'Runs of judy' }).click();
    await operator.getByRole('link', { name: 'Back' }).click();
    await operator.getByRole('region', { name: 'What operators did' }).getByText('user run viewed').first().waitFor();
    await operator.getByRole('region', { name: 'What operators did' }).getByText('user runs viewed').first().waitFor();
  }, 40_000);
});
