import { setImmediate } from 'node:timers/promises';
import type { JsonValue } from '../../src/shared/json.js';
import { MemoryRun, type Work } from './memory-scope.js';
import { PipelineWorld } from './pipeline-world.js';
import { any, echo, failing, failureOf, never, outcomes } from './running.js';

let world: PipelineWorld;
beforeAll(async () => {
  world = await PipelineWorld.boot();
});
afterAll(() => world[Symbol.asyncDispose]());

describe('a graph', () => {
  it('begins a step when those it depends on have ended, and gives it their results', async () => {
    const run = new MemoryRun(({ path, input }) => Promise.resolve({ path, given: input } as JsonValue));
    const spec = {
      steps: [
        any('last', {
          dependsOn: ['left', 'right'],
          input: { l: { var: 'steps.left.path' }, f: { var: 'steps.first.given.n' } },
        }),
        any('left', { dependsOn: ['first'] }),
        any('right', { dependsOn: ['first'] }),
        any('first'),
      ],
      output: { var: 'steps.last.given' },
    };
    const { result, degraded } = await world.run(spec, { n: 7 }, run);
    expect(result.output).toEqual({ l: 'left', f: 7 });
    expect(run.records.begun).toEqual(['first', 'left', 'right', 'last']);
    expect(result.steps.map(({ step }) => step)).toEqual(['last', 'left', 'right', 'first']);
    expect(result.steps[3]).toEqual({
      step: 'first',
      outcome: 'ok',
      attempts: 1,
      durationMs: 1,
      result: { path: 'first', given: { n: 7 } },
    });
    expect(degraded).toBe(false);
  });

  it('keeps independent branches under the cap, of a nested pipeline and of the one around it', async () => {
    const work: Work = async ({ input }) => {
      for (let i = 0; i < 5; i++) await setImmediate();
      return input as JsonValue;
    };
    const run = new MemoryRun(work);
    const many = (count: number) => Array.from({ length: count }, (_, i) => any(`s${i}`));
    await world.run(
      { concurrency: 4, steps: [...many(9), { name: 'inner', pipeline: { concurrency: 2, steps: many(6) } }] },
      1,
      run,
    );
    expect(run.mostAtWork).toBe(4);
    expect(run.mostAtWorkIn.get('inner')).toBe(2);
  });

  it('skips a step whose condition does not hold, says why, and goes on without its result', async () => {
    const spec = {
      steps: [
        any('triage'),
        any('deep', { dependsOn: ['triage'], when: { '>=': [{ var: 'steps.triage.score' }, 0.8] } }),
        any('end', { dependsOn: ['deep'], input: { deep: { var: 'steps.deep' } } }),
      ],
    };
    const { result } = await world.run(spec, { score: 0.42 }, echo);
    expect(outcomes(result.steps)).toEqual([
      'triage ok',
      'deep skipped: its condition {">=":[{"var":"steps.triage.score"},0.8]} does not hold: steps.triage.score is 0.42',
      'end ok',
    ]);
    expect(result.output).toEqual({ deep: null });
  });

  it('fails a step whose condition, or input, can not be evaluated', async () => {
    for (const [broken, why] of [
      [
        { when: { '>': [{ var: 'input' }, 1] } },
        /^The step "b" failed: its condition .* can't be told: it computes with/,
      ],
      [{ input: { '+': [{ var: 'input' }] } }, /^The step "b" failed: its input .* can't be made: it computes with/],
    ] as const) {
      const run = new MemoryRun(echo);
      const { message, steps } = await failureOf(
        world.run({ steps: [any('a'), any('b', { dependsOn: ['a'], ...broken })] }, { x: 1 }, run),
      );
      expect(message).toMatch(why);
      expect(steps[1]).toMatch(/^b failed: /);
      expect(run.records.begun).toEqual(['a']);
    }
  });

  it('cancels what is under way when a step fails, and begins nothing else', async () => {
    const run = new MemoryRun((step) =>
      step.path === 'bad' ? failing('no luck') : step.path === 'good' ? echo(step) : never(step),
    );
    const spec = {
      steps: [
        any('good'),
        any('slow'),
        any('bad', { dependsOn: ['good'] }),
        any('later', { dependsOn: ['slow'] }),
        any('after', { dependsOn: ['bad'] }),
      ],
    };
    const { message, steps } = await failureOf(world.run(spec, 1, run));
    expect(message).toBe('The step "bad" failed: no luck');
    expect(steps).toEqual([
      'good ok',
      'slow cancelled: bad failed',
      'bad failed: no luck',
      'later skipped: bad failed',
      'after skipped: bad failed',
    ]);
    expect(run.atWork).toBe(0);
  });

  it('does not begin what waited for a place when a step fails', async () => {
    const run = new MemoryRun(({ path }) => (path === 'a' ? failing('no') : Promise.resolve(1)));
    const { steps } = await failureOf(world.run({ concurrency: 1, steps: [any('a'), any('b'), any('c')] }, 1, run));
    expect(steps).toEqual(['a failed: no', 'b skipped: a failed', 'c skipped: a failed']);
    expect(run.records.begun).toEqual(['a']);
  });

  it('goes on after a failure that it may go on after, and is degraded', async () => {
    const spec = {
      steps: [
        any('bad', { continueOnError: true }),
        any('end', { dependsOn: ['bad'], input: { bad: { var: 'steps.bad' } } }),
      ],
    };
    const { result, degraded } = await world.run(spec, 1, (step) => (step.path === 'bad' ? failing('no') : echo(step)));
    expect(outcomes(result.steps)).toEqual(['bad failed: no', 'end ok']);
    expect(result.output).toEqual({ bad: null });
    expect(degraded).toBe(true);
  });

  it('hands retry, time limit and fallback on', async () => {
    const limits = { retry: { attempts: 2 }, timeoutMs: 50, fallback: { value: 0 } };
    const seen: object[] = [];
    const keep: Work = (step) => {
      seen.push({ retry: step.retry, timeoutMs: step.timeoutMs, fallback: step.fallback });
      return Promise.resolve(1);
    };
    await world.run(
      { steps: [any('a', limits), { name: 'm', map: { over: [1], step: { agent: 'any' } }, ...limits }] },
      1,
      keep,
    );
    expect(seen).toEqual([limits, limits]);
  });
});

describe('an interruption', () => {
  const spec = {
    steps: [
      any('first'),
      { name: 'm', dependsOn: ['first'], map: { over: [1, 2, 3], step: { agent: 'any', input: { var: 'item' } } } },
      { name: 'p', dependsOn: ['first'], pipeline: { steps: [any('a'), any('b', { dependsOn: ['a'] })] } },
      any('end', { dependsOn: ['m', 'p'], input: { m: { var: 'steps.m' }, p: { var: 'steps.p' } } }),
    ],
  };

  it('rejects with what stopped the run, when everything under way has settled', async () => {
    const run = new MemoryRun(
      async (step) => (step.path === 'first' ? 1 : never(step)),
      undefined,
      () => run.stop('suspended'),
    );
    await expect(world.run(spec, 1, run)).rejects.toThrow('suspended');
    expect(run.atWork).toBe(0);
    expect([...run.records.ended.keys()]).toEqual(['first']);
  });

  it('anywhere changes nothing: what has ended is not done again, and the result is the same', async () => {
    const whole = await world.run(spec, 4, echo);
    for (let after = 1; after <= 10; after++) {
      let ends = 0;
      const first = new MemoryRun(echo, undefined, () => ++ends === after && first.stop());
      await world.run(spec, 4, first).catch(() => undefined);
      const ended = new Set(first.records.ended.keys());
      const begun = first.records.begun.length;
      const second = new MemoryRun(echo, first.records);
      expect((await world.run(spec, 4, second)).result).toEqual(whole.result);
      expect(first.records.begun.slice(begun).filter((path) => ended.has(path))).toEqual([]);
    }
  });
});
