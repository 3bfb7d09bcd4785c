import { readFileSync } from 'node:fs';
import { Module } from '@nestjs/common';
import type { Page } from 'playwright-core';
import { z } from 'zod';
import type { AgentRun } from '../../src/agents/agent-run.js';
import { Agent } from '../../src/agents/agent.decorator.js';
import { pause } from '../scripted-agents.module.js';
import { ConsoleWorld } from './console-world.js';

const Rounds = z.object({ rounds: z.number().int(), who: z.string() });

/** Thinks and calls a tool, round after round: three events each, and two of the run. */
@Agent({ name: 'busy', description: 'Has many events', input: Rounds, timeoutMs: 240_000, effect: 'idempotent' })
class BusyAgent {
  async run({ rounds, who }: z.output<typeof Rounds>, run: AgentRun) {
    for (let round = 1; round <= rounds; round++) {
      await run.thinking(`${who} thinks of round ${round}`);
      await run.tool('look', { round }, async () => ({ round }));
      if (round % 20 === 0) await pause(0, run.signal);
    }
    return { rounds };
  }
}

@Module({ providers: [BusyAgent] })
class BusyModule {}

const ROUNDS = 3_333;
const EVENTS = 3 * ROUNDS + 2;
/** What a list and a timeline may draw, however much there is. */
const MAX_ROWS = 120;
/** Far more than was ever seen (67 to 170 ms, two busy processors), and less than anybody takes for a page that hangs. */
const MAX_PAUSE_MS = 1_500;
/** Bars get narrower as time goes on; of what is read, nothing may move. Google calls a page good below 0.1. */
const MAX_SHIFT = 0.005;

interface Seen {
  frames: number;
  /** The longest time from one frame to the next. */
  slowestFrameMs: number;
  longestTaskMs: number;
  /** How far things moved that nobody moved, while the run went on. */
  shift: number;
  mostRows: number;
}

const READER = readFileSync(new URL('./reader-in-page.js', import.meta.url), 'utf8');

/** What somebody sees who looks at a page. */
class Reader {
  private constructor(private readonly page: Page) {}

  static async of(page: Page): Promise<Reader> {
    await page.evaluate(READER);
    return new Reader(page);
  }

  /** Resolves when there are so many events. */
  async atLeast(count: number): Promise<void> {
    await this.page.evaluate(`reader.until(() => reader.count() >= ${count})`);
  }

  get seen(): Promise<Seen> {
    return this.page.evaluate('reader.seen');
  }

  async scrollUp(): Promise<void> {
    await this.page.getByRole('group', { name: 'Events', exact: true }).hover();
    await this.page.mouse.wheel(0, -600);
    await this.page.evaluate('reader.until(() => reader.fromEnd() > 300)');
    await this.page.evaluate('reader.untilStill()');
  }

  /** The uppermost event that can be read, and where it stands. */
  get line(): Promise<{ text: string; top: number }> {
    return this.page.evaluate('reader.line()');
  }

  /** The numbers of all events, from the first to the last. */
  get numbers(): Promise<number[]> {
    return this.page.evaluate('reader.numbers()');
  }
}

describe('a run of 10,000 events', () => {
  let world: ConsoleWorld;
  beforeAll(async () => {
    world = await ConsoleWorld.open({ agents: [BusyModule] });
  }, 30_000);
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    expect(world.problems).toEqual([]);
  });

  it('is watched live, complete and in order, while nothing jumps and the page goes on, beside bob’s', async () => {
    const [page, bobs] = await Promise.all([world.signIn('alice'), world.signIn('bob')]);
    const [alice, bob] = await Promise.all([world.server.as('alice'), world.server.as('bob')]);
    const { id } = await alice.start('busy', { rounds: ROUNDS, who: 'alice' });
    await page.goto(`${world.network.url}/console/#/runs/${id}`);
    await page.getByRole('group', { name: 'Events', exact: true }).getByText('alice thinks').first().waitFor();
    const reader = await Reader.of(page);
    await reader.atLeast(100);
    const his = await bob.start('busy', { rounds: 100, who: 'bob' });
    await bobs.goto(`${world.network.url}/console/#/runs/${his.id}`);

    // she reads something while more and more comes below it
    await reader.scrollUp();
    const line = await reader.line;
    await reader.atLeast(EVENTS / 2);
    expect(await reader.line).toEqual(line);

    await page.locator('main .title .status', { hasText: 'completed' }).waitFor({ timeout: 120_000 });
    await page.getByRole('region', { name: `${EVENTS} events`, exact: true }).waitFor();
    expect(await reader.line).toEqual(line);
    const seen = await reader.seen;
    expect(seen.shift).toBeLessThan(MAX_SHIFT);
    expect(seen.mostRows).toBeLessThan(MAX_ROWS);
    expect(seen.slowestFrameMs).toBeLessThan(MAX_PAUSE_MS);
    expect(seen.longestTaskMs).toBeLessThan(MAX_PAUSE_MS);
    expect(await reader.numbers).toEqual(Array.from({ length: EVENTS }, (_, i) => i + 1));

    await bobs.getByRole('region', { name: '302 events', exact: true }).waitFor();
    expect(await bobs.content()).toContain('bob thinks of round');
    expect(await bobs.content()).not.toContain('alice thinks');
  }, 200_000);
});
