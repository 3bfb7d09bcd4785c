import { Inject } from '@nestjs/common';
import { z } from 'zod';
import { Agent } from '../../src/agents/agent.decorator.js';
import type { PipelineBuilder } from '../../src/execution/pipeline/pipeline-builder.js';
import { Pipeline } from '../../src/execution/pipeline/pipeline.decorator.js';
import type { CarrelError } from '../../src/shared/errors.js';
import type { JsonValue } from '../../src/shared/json.js';
import type { Work } from './memory-scope.js';
import { PipelineWorld, ReviewAgent, TriageAgent } from './pipeline-world.js';
import { AdaptivePipeline, MistakenPipeline, ThoroughPipeline } from './typed-pipelines.js';

const OPTIONS = { name: 'mine', description: 'Does something', input: z.strictObject({ text: z.string() }) };
type Loose = PipelineBuilder<{ text: string }>;

/** The agents of the world, without a server. */
const agents: Work = async ({ agent, input }) => {
  const made =
    agent === 'triage'
      ? new TriageAgent().run(input as never)
      : agent === 'review'
        ? await new ReviewAgent().run(input as never)
        : input;
  return JSON.parse(JSON.stringify(made)) as JsonValue;
};

function pipelineOf(define: (p: Loose) => unknown, options: object = {}): unknown {
  class MyPipeline {
    define(p: Loose) {
      return define(p) as object;
    }
  }
  return Pipeline({ ...OPTIONS, ...options })(MyPipeline as never);
}

const good = (p: Loose) => p.output(p.agent('a', TriageAgent, { input: ({ input }) => input }));

async function refusal(...providers: unknown[]): Promise<string> {
  const error = await PipelineWorld.boot(...providers).then(
    () => undefined,
    (reason: unknown) => reason as CarrelError,
  );
  expect(error).toMatchObject({ code: 'invalid_pipeline' });
  return error!.message;
}

describe('pipelines as classes', () => {
  it('are found in any module, and carried out with typed results', async () => {
    await using world = await PipelineWorld.boot(ThoroughPipeline, AdaptivePipeline);
    expect(world.registry.list().map(({ name }) => name)).toEqual(['adaptive', 'thorough']);
    const worth = await world.run('adaptive', { text: 'a long text' }, agents);
    expect(worth.result.output).toEqual({ score: 1.1, verdict: 'a!' });
    const not = await world.run('adaptive', { text: 'short' }, agents);
    expect(not.result.output).toEqual({ score: 0.5, verdict: 'not worth it' });
    expect(not.result.steps[1]).toMatchObject({
      step: 'review',
      outcome: 'skipped',
      reason: expect.stringContaining('triage.score >= 0.8') as string,
    });
    const all = await world.run('thorough', { text: 'one two' }, agents).catch((error: unknown) => error);
    // the input of a class's own step is what its schema gives: "depth" is none of triage's
    expect(all).toMatchObject({ result: { output: { left: 2.7, refined: 3 } } });
  });

  it('in plain JavaScript are made by a call', async () => {
    const Plain = Pipeline(OPTIONS)(
      class Plain {
        define(p: Loose) {
          return p.output({ a: p.agent('a', 'any', { input: ({ input }) => input }) }, ({ a }) => a);
        }
      } as never,
    );
    await using world = await PipelineWorld.boot(Plain);
    expect((await world.run('mine', { text: 'x' }, agents)).result.output).toEqual({ text: 'x' });
  });

  it('can be a part of a pipeline as data, whose constant input they judge', async () => {
    await using world = await PipelineWorld.boot(pipelineOf(good));
    const spec = (input: JsonValue) => ({ steps: [{ name: 'p', pipeline: 'mine', input }] });
    expect((await world.run(spec({ text: 'x' }), 1, agents)).result.output).toMatchObject({ topics: ['x'] });
    await expect(world.service.checkSpec(spec({ txt: 'x' }))).rejects.toMatchObject({
      details: { issues: [{ path: 'steps[0].input' }] },
    });
    await expect(world.service.resolve('mein')).rejects.toMatchObject({
      code: 'unknown_pipeline',
      message: expect.stringContaining('"mine"') as string,
    });
    await expect(world.run('mine', { text: 5 }, agents)).rejects.toMatchObject({ code: 'invalid_input' });
  });

  it('are listed as data, and can not be changed', async () => {
    await using world = await PipelineWorld.boot(ThoroughPipeline, AdaptivePipeline);
    const [adaptive] = world.service.list();
    expect(JSON.parse(JSON.stringify(adaptive))).toMatchObject({
      name: 'adaptive',
      inputSchema: { required: ['text'] },
      steps: [
        { name: 'triage', kind: 'agent', agent: 'triage', dependsOn: [] },
        { name: 'review', dependsOn: ['triage'], when: expect.stringContaining('0.8') as string },
      ],
    });
    const plan = world.registry.get('adaptive');
    for (const part of [plan, plan.steps, plan.steps[0], plan.steps[0]?.work, plan.inputSchema])
      expect(Object.isFrozen(part)).toBe(true);
  });

  it('fail the step whose function changes what it is given, is async, or throws, without telling more', async () => {
    const mistakes: [(known: never) => unknown, RegExp][] = [
      [
        ({ input }: { input: { text: string } }) => {
          input.text = 'x';
          return input;
        },
        /it throws a TypeError$/,
      ],
      [async () => Promise.resolve({ text: 'x' }), /it gives a promise/],
      [
        () => {
          throw new Error('secret');
        },
        /it throws a Error$/,
      ],
      [() => undefined, /it gives nothing/],
    ];
    for (const [input, expected] of mistakes) {
      await using world = await PipelineWorld.boot(
        pipelineOf((p) => p.output(p.agent('a', TriageAgent, { input: input as never }))),
      );
      await expect(world.run('mine', { text: 'a' }, agents)).rejects.toMatchObject({
        code: 'pipeline_failed',
        message: expect.stringMatching(expected) as string,
      });
    }
  });
});

describe('the boot is refused, naming class, module and fix, for', () => {
  it.each<[string, (p: Loose) => unknown, object, string]>([
    ['a malformed name', good, { name: 'a/b' }, 'name: must be letters'],
    ['no description', good, { description: '' }, 'description: must say in a sentence'],
    ['no input', good, { input: undefined }, 'its input is missing'],
    ['a misspelt option', good, { deadlineMS: 1 }, 'deadlineMS'],
    ['no steps', (p) => p.output({}, () => 1), {}, 'it defines no step'],
    ['no output', (p) => p.agent('a', 'any', { input: () => 1 }), {}, 'it does not say what it gives'],
    [
      'a define that throws',
      () => {
        throw new Error('boom');
      },
      {},
      'its method "define" throws: boom',
    ],
    [
      'an agent that is not there',
      (p) => p.output(p.agent('a', 'nobody', { input: () => 1 })),
      {},
      'steps[0].agent: There is no agent "nobody"',
    ],
    [
      'two steps of one name',
      (p) => {
        good(p);
        return p.agent('a', 'any', { input: () => 1 });
      },
      {},
      'steps[1].name: "a" is the name',
    ],
    [
      'a step of another pipeline',
      (p) => {
        good(p);
        return p.agent('b', 'any', { dependsOn: { x: { name: 'a' } }, input: () => 1 });
      },
      {},
      'b: it depends on "a", a step that is not beside it',
    ],
    [
      'a loop without bound',
      (p) => p.output(p.loop('l', 'any', { input: () => 1, until: () => true, max: Infinity })),
      {},
      'l: "max" must be from 1 to 1000',
    ],
    [
      'the name of an agent',
      good,
      { name: 'triage' },
      'its name "triage" is taken by the agent TriageAgent; rename one of them',
    ],
  ])('%s', async (_what, define, options, expected) => {
    const message = await refusal(pipelineOf(define, options));
    expect(message).toMatch(/^MyPipeline \(in TeamModule\): /);
    expect(message).toContain(expected);
  });

  it('a class that no module provides, that has no define, or that wants something injected', async () => {
    @Agent({ name: 'lost', description: 'Is nowhere', input: z.unknown() })
    class LostAgent {
      run() {
        return 1;
      }
    }
    expect(await refusal(pipelineOf((p) => p.output(p.agent('a', LostAgent, { input: () => 1 }))))).toContain(
      'LostAgent is no agent of this server; decorate it',
    );
    expect(await refusal(Pipeline(OPTIONS)(class Empty {} as never))).toContain('it has no method "define"');
    class Wanting {
      constructor(readonly clock: unknown) {}
      define() {
        return {};
      }
    }
    Inject('CLOCK')(Wanting, undefined, 0);
    const clock = { provide: 'CLOCK', useValue: 1 };
    expect(await refusal(Pipeline(OPTIONS)(Wanting as never), clock)).toContain('its constructor has 1 parameter(s)');
  });

  it('what the compiler would have found, as far as that shows without types', async () => {
    const message = await refusal(Pipeline(OPTIONS)(MistakenPipeline));
    expect(message).toBe('MistakenPipeline (in TeamModule): q: there is no option "timeoutMS"');
  });

  it('two of one name, and a pipeline that contains itself', async () => {
    expect(await refusal(pipelineOf(good), pipelineOf(good))).toContain('its name "mine" is taken by MyPipeline');
    const a: unknown[] = [];
    const first = pipelineOf((p) => p.output(p.pipeline('x', a[0] as never, { input: (() => 1) as never })), {
      name: 'first',
    });
    a.push(
      pipelineOf((p) => p.output(p.pipeline('y', first as never, { input: (() => 1) as never })), { name: 'second' }),
    );
    expect(await refusal(first, a[0])).toContain('the pipeline would contain itself: first → second → first');
  });
});
