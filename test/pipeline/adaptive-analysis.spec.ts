import { readFileSync } from 'node:fs';
import { ContextIdFactory } from '@nestjs/core';
import { Test, type TestingModule } from '@nestjs/testing';
import { AgentInvoker } from '../../src/agents/agent-invoker.service.js';
import { AgentRegistry } from '../../src/agents/agent-registry.service.js';
import { ContextModule } from '../../src/context/context.module.js';
import { executePipeline } from '../../src/execution/pipeline/pipeline-executor.js';
import { PipelineLibraryModule } from '../../src/execution/pipeline/library/pipeline-library.module.js';
import { PipelineModule } from '../../src/execution/pipeline/pipeline.module.js';
import { PipelineRegistry } from '../../src/execution/pipeline/pipeline-registry.service.js';
import type { TextData } from '../../src/agents/library/analysis.js';
import type { JsonValue } from '../../src/shared/json.js';
import { contextOf, RecordingRun } from '../agents/recording-run.js';
import { MemoryRun, type Work } from './memory-scope.js';

const REPORT = `# Spring at the harbour

Visitors rose from 8,000 in April 2025 to 12,000 in April 2026. Income grew by 30 % to € 1.2 million, while repairs
fell from € 90,000 to € 60,000. A ticket costs € 12, a guided tour € 15, a boat trip € 18 and the gala dinner € 400.

The tide gate was closed for 5 days in March 2026, and ships waited 36 hours on average. Guided tours take 60 minutes. The
harbour office must repair the second gate by 1 June 2026. Visitors should book boat trips in advance, because every boat
has 40 seats and the harbour has 3 boats. The harbour office will hire two guides.

| Gate | Width | Built |
|------|-------|-------|
| North | 40 m | 1998 |
| South | 25 m | 2003 |
`;

let app: TestingModule;
beforeAll(async () => {
  app = await Test.createTestingModule({ imports: [ContextModule, PipelineModule, PipelineLibraryModule] }).compile();
  await app.init();
});
afterAll(() => app.close());

/** The real agents, each in a DI sub-tree of its own. */
const work: Work = async ({ agent, input, signal }) => {
  const definition = app.get(AgentRegistry).get(agent);
  const value = await definition.validate(structuredClone(input));
  const run = new RecordingRun(contextOf('alice', signal));
  const contextId = ContextIdFactory.create();
  app.registerRequestByContextId(run.context, contextId);
  const instance = await app.resolve(definition.agentClass as never, contextId, { strict: false });
  const result = await app.get(AgentInvoker).invoke(definition, instance, { contextId }, value, run);
  return JSON.parse(JSON.stringify(result)) as JsonValue;
};

interface Output {
  data: string;
  sufficiency: number;
  report: string;
}

async function analyse(text: string, title?: string) {
  const plan = app.get(PipelineRegistry).get('adaptive-analysis');
  const run = new MemoryRun(work);
  const { result } = await executePipeline(plan, title === undefined ? { text } : { text, title }, run.scope);
  return { output: result.output as unknown as Output, steps: result.steps, begun: run.records.begun };
}

async function dataOf(text: string): Promise<TextData> {
  const { signal } = new AbortController();
  return (await work({
    path: 'data',
    name: 'data',
    agent: 'extract-data',
    input: { text },
    signal,
  })) as unknown as TextData;
}

/** Without markup and on one line, as a reader sees it. */
const plain = (text: string) => text.replace(/[\\*`_]/g, '').replace(/\s+/g, ' ');

describe('adaptive-analysis', () => {
  it('goes all the way with a report that has enough figures', async () => {
    const { output, begun, steps } = await analyse(REPORT, 'Spring');
    expect(begun).toEqual(['triage', 'data', 'optimisation', 'actions', 'report']);
    expect(output.data).toBe('sufficient');
    expect(steps.find(({ step }) => step === 'data-helper')).toMatchObject({
      outcome: 'skipped',
      reason: expect.stringMatching(/^its condition .*sufficiency < SUFFICIENT does not hold$/) as string,
    });
    const report = plain(output.report);
    for (const expected of [
      '# Analysis of Spring',
      'Visitors went up by 50 % (from 8000 to 12000)',
      'repairs went down by 33.3 % (from 90000 to 60000 EUR)',
      'Income went up by 30 %',
      '€ 1.2 million is the largest of 7 EUR figures',
      'required (1 June 2026): The harbour office must repair the second gate by 1 June 2026.',
      'recommended: Visitors should book boat trips',
      'planned: The harbour office will hire two guides.',
    ]) {
      expect(report).toContain(expected);
    }
    expect(output.report).not.toContain('## What is missing');
  });

  it.each(['README.md', 'docs/architecture.md', 'CHANGELOG.md', 'LICENSE'])(
    'goes as far with %s as that allows, and quotes it word by word',
    async (file) => {
      const text = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
      const { output, begun, steps } = await analyse(text, file);
      const branches = {
        sufficient: ['triage', 'data', 'optimisation', 'actions', 'report'],
        partial: ['triage', 'data-helper', 'data', 'report'],
        insufficient: ['triage', 'data-helper', 'report'],
      };
      expect(begun).toEqual(branches[output.data as keyof typeof branches]);
      const data = steps.find(({ step }) => step === 'data')?.result as unknown as TextData | undefined;
      const source = plain(text.replace(/\[([^\]]+)\]\([^)]*\)/g, '$1'));
      for (const { text: written, sentence, position } of data?.figures ?? []) {
        expect(sentence).toContain(written);
        if (position > 0) expect(source).toContain(plain(sentence.replace(/…$/, '')));
      }
    },
  );

  it('asks for what a text without figures leaves open', async () => {
    const { output, begun } = await analyse(
      'Many people visit the harbour. It has become significantly better recently.',
    );
    expect(begun).toEqual(['triage', 'data-helper', 'report']);
    expect(output.data).toBe('insufficient');
    for (const question of [
      'Which figures describe',
      'How many is "Many"?',
      'How much is "significantly"?',
      'Which period',
    ]) {
      expect(output.report).toContain(question);
    }
  });

  it('measures what a text has: each figure more makes it more sufficient', async () => {
    const measured: number[] = [];
    for (let figures = 0; figures <= 6; figures++) {
      const more = Array.from({ length: figures }, (_, i) => `Gate ${'ABCDEF'[i]} weighs ${10 + i} tonnes.`).join(' ');
      measured.push((await analyse(`The harbour has gates made of steel. ${more}`)).output.sufficiency);
    }
    expect(measured).toEqual([...new Set(measured)].toSorted((a, b) => a - b));
  });

  it('reads amounts, units and shares, and takes dates, versions and names with numbers for none', async () => {
    const text =
      'On 3 May 2026 version 2.1.0 of RFC 9457 cost $1,250.50 in all. It took 1.5 hours, 20 % of 3 million requests and 12 people. In 2025 none did.';
    const data = await dataOf(text);
    expect(data.figures.map(({ value, unit }) => [value, unit])).toEqual([
      [1250.5, 'USD'],
      [1.5, 'h'],
      [20, '%'],
      [3_000_000, 'requests'],
      [12, 'people'],
    ]);
    expect(data.dates).toEqual(['3 May 2026', '2025']);
    const table = '| Gate | Width |\n|---|---|\n| North | 40 m |';
    expect(await dataOf(table)).toMatchObject({ figures: [{ value: 40, unit: 'm', sentence: 'North: Width 40 m' }] });
  });

  it('takes a text that looks like markup for a text', async () => {
    const { output } = await analyse(
      '<script>alert(1)</script> must [click](javascript:x) 5 times. # No heading',
      '<b>x</b>',
    );
    expect(output.report).not.toMatch(/(?<!\\)<(?:script|b)|(?<!\\)\]\(javascript/);
  });

  it('is quick with hostile texts', async () => {
    for (const text of [
      '1,'.repeat(100_000),
      '9'.repeat(200_000),
      '| a '.repeat(50_000),
      'from 1 to '.repeat(20_000),
    ]) {
      const begun = performance.now();
      await analyse(text);
      expect(performance.now() - begun).toBeLessThan(8_000);
    }
  });
});
