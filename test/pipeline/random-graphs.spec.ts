import fc from 'fast-check';
import type { CarrelError } from '../../src/shared/errors.js';
import type { JsonValue } from '../../src/shared/json.js';
import type { PipelineSpec, StepSpec } from '../../src/execution/pipeline/pipeline-spec.js';
import { MemoryRun, Records, type Work } from './memory-scope.js';
import { PipelineWorld } from './pipeline-world.js';

/** What a step of a random graph is like; numbers are taken modulo what there is to choose from. */
interface Trait {
  kind: 'agent' | 'pipeline' | 'parallel' | 'race' | 'map' | 'loop';
  dependsOn: number[];
  condition: number | undefined;
  fails: boolean;
  continueOnError: boolean;
  turns: number;
}

const trait: fc.Arbitrary<Trait> = fc.record({
  kind: fc.constantFrom('agent', 'agent', 'agent', 'agent', 'pipeline', 'parallel', 'race', 'map', 'loop'),
  dependsOn: fc.array(fc.nat(29), { maxLength: 3 }),
  condition: fc.option(fc.integer({ min: 0, max: 9 }), { nil: undefined, freq: 3 }),
  fails: fc.oneof({ weight: 6, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  continueOnError: fc.boolean(),
  turns: fc.nat(5),
});

const graph = fc.record({
  traits: fc.array(trait, { minLength: 1, maxLength: 30 }),
  concurrency: fc.integer({ min: 1, max: 6 }),
  /** In the order of the list no step depends on a later one; this one mixes them. */
  order: fc.array(fc.nat(1_000), { minLength: 30, maxLength: 30 }),
});
type Graph = typeof graph extends fc.Arbitrary<infer T> ? T : never;

let world: PipelineWorld;
beforeAll(async () => {
  world = await PipelineWorld.boot();
});
afterAll(() => world[Symbol.asyncDispose]());

function stepOf({ kind, dependsOn, condition, continueOnError }: Trait, i: number): StepSpec {
  const before = i === 0 ? [] : [...new Set(dependsOn.map((n) => `s${n % i}`))];
  const agent = (name: string) => ({ name, agent: 'any', input: name });
  const works = {
    agent: { agent: 'any', input: { seen: before.map((name) => ({ var: `steps.${name}` })) } },
    pipeline: { pipeline: { steps: [agent('x'), { ...agent('y'), dependsOn: ['x'] }], concurrency: 1 }, input: 1 },
    parallel: { parallel: [agent('x'), agent('y')] },
    race: { race: [agent('x'), agent('y')] },
    map: { map: { over: [1, 2, 3], concurrency: 2, step: { agent: 'any', input: { var: 'item' } } } },
    loop: {
      loop: { max: 3, until: { '===': [{ var: 'index' }, 1] }, step: { agent: 'any', input: { var: 'index' } } },
    },
  } as const;
  const when = condition !== undefined && { when: { '>': [condition, { length: { var: `steps` } }] } };
  return { name: `s${i}`, dependsOn: before, continueOnError, ...when, ...works[kind] };
}

function specOf({ traits, concurrency, order }: Graph): PipelineSpec {
  const steps = traits.map(stepOf);
  const mixed = steps.map((step, i) => ({ step, key: order[i] ?? 0 })).toSorted((a, b) => a.key - b.key);
  return { concurrency, steps: mixed.map(({ step }) => step) };
}

/** What an agent gives is a function of where it is and of what it is given, however long it takes. */
function workOf({ traits }: Graph): Work {
  return async ({ path, input, signal }) => {
    const { turns, fails } = traits[Number(/^s(\d+)/.exec(path)?.[1])]!;
    for (let i = 0; i < turns; i++) {
      await Promise.resolve();
      signal.throwIfAborted();
    }
    if (fails) throw new Error(`no ${path}`);
    return { path, chars: JSON.stringify(input).length };
  };
}

interface Outcome {
  output?: JsonValue;
  message?: string;
  steps: readonly { step: string; outcome: string; reason?: string }[];
}

/** Carries it out as a process would; undefined when it was stopped on the way. */
async function attempt(spec: PipelineSpec, run: MemoryRun): Promise<Outcome | undefined> {
  try {
    const { result } = await world.run(spec, 1, run);
    return { output: result.output, steps: result.steps };
  } catch (error) {
    expect(run.faults).toEqual([]);
    expect(run.atWork).toBe(0);
    const { code, message, details } = error as CarrelError;
    if (code !== 'pipeline_failed') {
      expect(run.signal.aborted).toBe(true);
      return undefined;
    }
    return { message, steps: details?.['steps'] as unknown as Outcome['steps'] };
  }
}

function expectAccounted(spec: PipelineSpec, outcome: Outcome, records: Records): void {
  const top = outcome.steps.filter(({ step }) => !step.includes('/')).map(({ step }) => step);
  expect(top).toEqual(spec.steps.map(({ name }) => name));
  expect(new Set(outcome.steps.map(({ step }) => step)).size).toBe(outcome.steps.length);
  const listed = new Map(outcome.steps.map((step) => [step.step, step]));
  for (const [path, end] of records.ended) expect(listed.get(path)).toMatchObject({ outcome: end.outcome });
  for (const { name, dependsOn = [] } of spec.steps) {
    if (records.ended.get(name)?.outcome === 'skipped') continue;
    const at = records.order.indexOf(name);
    for (const dependency of dependsOn) {
      expect(records.order.indexOf(dependency)).toBeGreaterThanOrEqual(0);
      expect(records.order.indexOf(dependency)).toBeLessThan(at);
    }
  }
}

const topLevel = ({ steps }: Outcome) =>
  steps.filter(({ step }) => !step.includes('/')).map(({ step, outcome }) => `${step} ${outcome}`);

describe('random graphs of up to 30 steps', () => {
  it('account for every step once, keep to dependencies and to the cap', async () => {
    await fc.assert(
      fc.asyncProperty(graph, async (random) => {
        const spec = specOf(random);
        const run = new MemoryRun(workOf(random));
        const outcome = await attempt(spec, run);
        expect(outcome).toBeDefined();
        expectAccounted(spec, outcome!, run.records);
        expect(run.mostAtWork).toBeLessThanOrEqual(random.concurrency);
      }),
      { numRuns: 200 },
    );
  });

  it('do nothing twice however often they are interrupted, and give the same result', async () => {
    await fc.assert(
      fc.asyncProperty(graph, fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 8 }), async (random, stops) => {
        const spec = specOf(random);
        const records = new Records();
        let outcome: Outcome | undefined;
        for (const stopAfter of [...stops, Infinity]) {
          const ended = new Set(records.ended.keys());
          const begun = records.begun.length;
          let ends = 0;
          const run: MemoryRun = new MemoryRun(workOf(random), records, () => ++ends >= stopAfter && run.stop());
          outcome = await attempt(spec, run);
          expect(records.begun.slice(begun).filter((path) => ended.has(path))).toEqual([]);
          expect(run.mostAtWork).toBeLessThanOrEqual(random.concurrency);
          if (outcome) break;
        }
        expect(outcome).toBeDefined();
        expectAccounted(spec, outcome!, records);
        // from the records alone it is the same again
        expect(await attempt(spec, new MemoryRun(workOf(random), records))).toEqual(outcome);
        // without a failure that ends it and a race, its output hangs on nobody's being quicker; and where no group fails,
        // the fate of no single step does
        if (outcome!.message || spec.steps.some((step) => 'race' in step)) return;
        const undisturbed = await attempt(spec, new MemoryRun(workOf(random)));
        expect(undisturbed!.output).toEqual(outcome!.output);
        expect(topLevel(undisturbed!)).toEqual(topLevel(outcome!));
        const isSettled = random.traits.every(({ kind, fails }) => !fails || kind === 'agent');
        if (isSettled) expect(undisturbed).toEqual(outcome);
      }),
      { numRuns: 200 },
    );
  });
});
