import { setImmediate } from 'node:timers/promises';
import type { JsonValue } from '../../src/shared/json.js';
import { MemoryRun } from './memory-scope.js';
import { PipelineWorld } from './pipeline-world.js';
import { any, echo, failing, failureOf, never, outcomes } from './running.js';

let world: PipelineWorld;
beforeAll(async () => {
  world = await PipelineWorld.boot();
});
afterAll(() => world[Symbol.asyncDispose]());

describe('groups', () => {
  it('parallel: all at once, their results by name, what is around it in sight', async () => {
    const spec = {
      steps: [
        any('first'),
        {
          name: 'both',
          dependsOn: ['first'],
          parallel: [any('l', { input: { var: 'steps.first' } }), any('r', { input: 2, when: { var: 'input' } })],
        },
      ],
    };
    const { result } = await world.run(spec, 5, echo);
    expect(result.output).toEqual({ l: 5, r: 2 });
    expect(outcomes(result.steps)).toEqual(['first ok', 'both ok', 'both/l ok', 'both/r ok']);
  });

  it('race: the first that ends well wins, the others are cancelled or never begun', async () => {
    const run = new MemoryRun((step) =>
      step.path === 'r/fast' ? setImmediate('won' as JsonValue) : step.path === 'r/bad' ? failing('x') : never(step),
    );
    const spec = {
      concurrency: 3,
      steps: [
        { name: 'r', race: [any('slow'), any('bad'), any('fast'), any('late')] },
        any('end', { dependsOn: ['r'], input: { var: 'steps.r' } }),
      ],
    };
    const work = run.work;
    const { result } = await world.run(
      spec,
      1,
      new MemoryRun((step) => (step.path === 'end' ? echo(step) : step.path === 'r/late' ? never(step) : work(step))),
    );
    expect(result.output).toBe('won');
    expect(outcomes(result.steps)).toEqual([
      'r ok',
      'r/slow cancelled: fast won',
      'r/bad failed: x',
      'r/fast ok',
      'r/late cancelled: fast won',
      'end ok',
    ]);
  });

  it('race: fails when none ends well', async () => {
    const { message } = await failureOf(
      world.run({ steps: [{ name: 'r', race: [any('a'), any('b')] }] }, 1, ({ path }) => failing(path)),
    );
    expect(message).toBe('The step "r" failed: No step of the race ended well: a: r/a; b: r/b');
  });

  it('map: once for every item, results in the order of the list, so many at once', async () => {
    const run = new MemoryRun(async ({ input }) => {
      for (let i = 0; i < 10 - (input as { n: number }).n; i++) await setImmediate();
      return (input as { n: number }).n * 10;
    });
    const spec = {
      steps: [
        {
          name: 'm',
          map: {
            over: { var: 'input.list' },
            concurrency: 2,
            step: { agent: 'any', input: { n: { var: 'item' }, i: { var: 'index' } } },
          },
        },
      ],
    };
    const { result } = await world.run(spec, { list: [1, 5, 3] }, run);
    expect(result.output).toEqual([10, 50, 30]);
    expect(run.mostAtWork).toBe(2);
    expect(result.steps.map(({ step }) => step)).toEqual(['m', 'm/1', 'm/2', 'm/3']);
  });

  it('map: fails with its item, and says what it was given when that is no list', async () => {
    const spec = (over: JsonValue) => ({
      steps: [{ name: 'm', map: { over, concurrency: 1, step: { agent: 'any', input: { var: 'item' } } } }],
    });
    const failed = await failureOf(
      world.run(spec([1, 2, 3]), 1, (step) => (step.input === 2 ? failing('two') : echo(step))),
    );
    expect(failed.message).toBe('The step "m" failed: The step "2" failed: two');
    expect(failed.steps).toEqual([
      'm failed: The step "2" failed: two',
      'm/1 ok',
      'm/2 failed: two',
      'm/3 skipped: 2 failed',
    ]);
    const none = await failureOf(world.run(spec({ var: 'input' }), { a: 1 }, echo));
    expect(none.message).toContain('It needs a list, and {"var":"input"} gives {"a":1}');
  });

  it('loop: until its result is good, or so often', async () => {
    const spec = (max: number) => ({
      steps: [
        {
          name: 'l',
          loop: {
            max,
            until: { '>': [{ var: 'last' }, 2] },
            step: { agent: 'any', input: { '+': [{ var: 'last' }, 1] } },
          },
        },
      ],
    });
    const good = await world.run(spec(10), 1, echo);
    expect(good.result.output).toBe(3);
    expect(good.result.steps.map(({ step }) => step)).toEqual(['l', 'l/1', 'l/2', 'l/3']);
    expect((await world.run(spec(2), 1, echo)).result.output).toBe(2);
  });

  it('nested pipelines have an input of their own, and their failure is the step’s', async () => {
    const inner = { steps: [any('a'), any('b', { dependsOn: ['a'], input: { var: 'input.x' } })] };
    const spec = { steps: [{ name: 'p', pipeline: inner, input: { x: { var: 'input' } } }] };
    expect((await world.run(spec, 9, echo)).result.output).toBe(9);
    const { message, steps } = await failureOf(world.run(spec, 9, ({ path }) => failing(`no ${path}`)));
    expect(message).toBe('The step "p" failed: The step "a" failed: no p/a');
    expect(steps).toEqual([expect.stringMatching(/^p failed/), 'p/a failed: no p/a', 'p/b skipped: a failed']);
  });

  it('lists what is inside of a group that was skipped or cancelled, too', async () => {
    const inner = { pipeline: { steps: [any('a'), any('b', { dependsOn: ['a'] })] } };
    const spec = {
      steps: [{ name: 'p', when: false, ...inner }, { name: 'q', ...inner }, any('bad', { dependsOn: ['p'] })],
    };
    const { steps } = await failureOf(
      world.run(spec, 1, (step) => (step.path === 'bad' ? failing('no') : never(step))),
    );
    expect(steps).toEqual([
      expect.stringMatching(/^p skipped: its condition false/),
      'p/a skipped: p was skipped',
      'p/b skipped: p was skipped',
      'q cancelled: bad failed',
      'q/a skipped: q was cancelled',
      'q/b skipped: q was cancelled',
      'bad failed: no',
    ]);
  });
});
