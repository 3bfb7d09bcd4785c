import { Module } from '@nestjs/common';
import type { Locator, Page } from 'playwright-core';
import { z } from 'zod';
import { AgentTool } from '../../src/agents/tools/agent-tool.decorator.js';
import { scriptedModel, type ScriptedStep } from '../../src/testing/scripted-model.js';
import { ConsoleWorld } from './console-world.js';

class Ledger {
  @AgentTool({
    name: 'balance',
    description: 'Says what is left of an account',
    input: z.object({ account: z.string() }),
    effect: 'read',
  })
  balance({ account }: { account: string }) {
    return `nothing is left of ${account}`;
  }
}

@Module({ providers: [Ledger] })
class LedgerModule {}

/** What each of the two works on: nothing of the one's is in the other's. */
const PLACES = { alice: 'museum', bob: 'harbour' } as const;
type Name = keyof typeof PLACES;
const textOf = (name: Name) =>
  `Visitors of the ${PLACES[name]} rose from 120 to 150 in March 2026. The gate of the ${PLACES[name]} must be repaired ` +
  `before Friday. Costs of the ${PLACES[name]} fell by 5 % to $ 12,000.`;

/** Says what it was asked for, to whoever asked. */
const answer: ScriptedStep = ({ prompt }) => ({
  text: `You ask about the ${JSON.stringify(prompt).includes('museum') ? 'museum' : 'harbour'}.`,
});

const fieldOf = (form: Locator, name: string) => form.getByRole('textbox', { name, exact: true });

/** Somebody at a page of theirs, who runs agents by their forms and gives the results of some to others. */
class Desk {
  readonly results = new Map<string, string>();

  constructor(
    readonly name: Name,
    readonly page: Page,
  ) {}

  get text(): string {
    return textOf(this.name);
  }

  /** A field of a result, as one would copy it. */
  of(agent: string, field?: string): string {
    const result = this.results.get(agent)!;
    return field === undefined ? result : JSON.stringify((JSON.parse(result) as Record<string, unknown>)[field]);
  }

  async run(name: string, kind: 'Agents' | 'Pipelines', fill: (form: Locator, desk: Desk) => Promise<void>) {
    const { page } = this;
    await page.getByRole('navigation').getByRole('link', { name: kind, exact: true }).click();
    await page.getByRole('main').getByRole('link', { name, exact: true }).click();
    await page.getByRole('heading', { name, exact: true }).waitFor();
    await fill(page.getByRole('main'), this);
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await page.getByRole('group', { name: 'Timeline' }).waitFor();
    await page.locator('main .title .status', { hasText: 'completed' }).waitFor();
    const result = await page.getByRole('region', { name: 'Result', exact: true }).locator('pre.value').textContent();
    this.results.set(name, result!);
    return result!;
  }
}

interface Shipped {
  readonly name: string;
  readonly fill: (form: Locator, desk: Desk) => Promise<void>;
  /** What its result says of what was given; a function: for each person. */
  readonly says: RegExp | ((place: string) => RegExp);
}

const onlyText = (form: Locator, { text }: Desk) => fieldOf(form, 'text').fill(text);

/** In an order in which the one has what the next one needs. */
const AGENTS: readonly Shipped[] = [
  {
    name: 'summarise',
    fill: async (form, { text }) => {
      await fieldOf(form, 'text').fill(text);
      await fieldOf(form, 'sentences').fill('1');
    },
    says: (place) => new RegExp(`"summary": "[^"]*${place}`),
  },
  {
    name: 'compare',
    fill: async (form, { text }) => {
      const [left, right] = ['left', 'right'].map((side) => form.getByRole('group', { name: side, exact: true }));
      await fieldOf(left!, 'title').fill('Before');
      await fieldOf(left!, 'text').fill(text);
      await fieldOf(right!, 'title').fill('');
      await fieldOf(right!, 'text').fill(text.replace('12,000', '13,000'));
    },
    says: /13,000/,
  },
  { name: 'triage', fill: onlyText, says: /"kind": "\w+"/ },
  { name: 'extract-data', fill: onlyText, says: (place) => new RegExp(`"sentence": "[^"]*${place}`) },
  {
    name: 'rank-findings',
    fill: async (form, desk) => {
      // the counts have fields of the same names, behind these
      for (const field of ['figures', 'changes', 'dates'])
        await fieldOf(form, field).first().fill(desk.of('extract-data', field));
      const counts = form.getByRole('group', { name: 'counts', exact: true });
      const found = JSON.parse(desk.of('extract-data', 'counts')) as Record<string, number>;
      for (const [name, count] of Object.entries(found)) await fieldOf(counts, name).fill(String(count));
    },
    says: (place) => new RegExp(`"finding": "[^"]*${place}|"sentence": "[^"]*${place}`),
  },
  {
    name: 'list-actions',
    fill: async (form, desk) => {
      await fieldOf(form, 'text').fill(desk.text);
      await fieldOf(form, 'findings').fill(desk.of('rank-findings', 'findings'));
    },
    says: (place) => new RegExp(`gate of the ${place}`),
  },
  {
    name: 'find-gaps',
    fill: async (form, desk) => {
      await fieldOf(form, 'text').fill('Nothing is known.');
      await fieldOf(form, 'triage').fill(desk.of('triage'));
    },
    says: /"question"/,
  },
  {
    name: 'write-report',
    fill: async (form, desk) => {
      await fieldOf(form, 'title').fill(`what ${desk.name} read`);
      await fieldOf(form, 'triage').fill(desk.of('triage'));
      await fieldOf(form, 'data').fill(desk.of('extract-data'));
      await fieldOf(form, 'findings').fill('null');
      await fieldOf(form, 'actions').fill(desk.of('list-actions', 'actions'));
      await fieldOf(form, 'questions').fill(desk.of('find-gaps', 'questions'));
    },
    says: (place) => new RegExp(`# Analysis of what [^#]*## [^]*${place}`),
  },
  {
    name: 'tools',
    fill: async (form, { name }) => {
      await form.getByRole('combobox', { name: 'What to give' }).click();
      await form.page().getByRole('option', { name: 'call', exact: true }).click();
      const call = form.getByRole('group', { name: 'call', exact: true });
      await fieldOf(call, 'server').fill('app');
      await fieldOf(call, 'tool').fill('balance');
      await fieldOf(call, 'arguments').fill(JSON.stringify({ account: PLACES[name] }));
    },
    says: (place) => new RegExp(`nothing is left of ${place}`),
  },
  { name: 'assistant', fill: onlyText, says: (place) => new RegExp(`You ask about the ${place}`) },
];

const PIPELINES: readonly Shipped[] = [
  { name: 'adaptive-analysis', fill: onlyText, says: (place) => new RegExp(`"report": "[^"]*${place}`) },
];

describe('every agent and pipeline that is shipped', () => {
  let world: ConsoleWorld;
  let desks: readonly Desk[];

  beforeAll(async () => {
    world = await ConsoleWorld.open({
      agents: [LedgerModule],
      models: { default: scriptedModel([answer, answer]) },
    });
    const open = async (name: Name) => new Desk(name, await world.signIn(name));
    desks = await Promise.all([open('alice'), open('bob')]);
  }, 30_000);
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    expect(world.problems).toEqual([]);
  });

  it('has a test here', async () => {
    const alice = await world.server.as('alice');
    const names = async (path: string) =>
      ((await alice.http<{ items: { name: string }[] }>('GET', path)).body.items ?? [])
        .map(({ name }) => name)
        .toSorted();
    expect(await names('/v1/agents')).toEqual(AGENTS.map(({ name }) => name).toSorted());
    expect(await names('/v1/pipelines')).toEqual(PIPELINES.map(({ name }) => name));
  });

  it.each([
    ...AGENTS.map((one) => ({ kind: 'Agents' as const, ...one })),
    ...PIPELINES.map((one) => ({ kind: 'Pipelines' as const, ...one })),
  ])(
    'runs $name from its form, for alice and for bob, each with what is their own',
    async ({ name, kind, fill, says }) => {
      const results = await Promise.all(desks.map((desk) => desk.run(name, kind, fill)));
      for (const [i, result] of results.entries()) {
        const [mine, others] = i === 0 ? (['museum', 'harbour'] as const) : (['harbour', 'museum'] as const);
        expect(result).toMatch(typeof says === 'function' ? says(mine) : says);
        expect(result).not.toContain(others);
      }
    },
    30_000,
  );
});
