import fc from 'fast-check';
import type { JsonValue } from '../../src/shared/json.js';
import type { PipelineSpec, StepSpec } from '../../src/execution/pipeline/pipeline-spec.js';
import type { Act, Part } from './chaos-agents.js';

const MAX_STEPS = 30;

type StepWork = Extract<StepSpec, { map: unknown }>['map']['step'];

/** Lists of what agents do; most do little. */
const acts: fc.Arbitrary<Act[]> = fc.array(
  fc.constantFrom<Act>(
    'gate',
    'gate',
    'gate',
    'tool',
    'step',
    'flakyStep',
    'nap',
    'sleep',
    'ask',
    'askBriefly',
    'spawn',
    'deafGate',
  ),
  { maxLength: 3 },
);

const behaviour = fc.record({
  acts,
  failures: fc.constantFrom(0, 0, 0, 0, 0, 0, 1, 1, 3, 99),
  isOnce: fc.boolean(),
});

const trait = fc.record({
  kind: fc.constantFrom('agent', 'agent', 'agent', 'agent', 'pipeline', 'parallel', 'race', 'map', 'loop'),
  dependsOn: fc.array(fc.nat(MAX_STEPS - 1), { maxLength: 3 }),
  condition: fc.constantFrom('none', 'none', 'none', 'none', 'holds', 'fails', 'earlier', 'throws'),
  continueOnError: fc.boolean(),
  retry: fc.boolean(),
  fallback: fc.constantFrom('none', 'none', 'none', 'value', 'agent'),
  first: behaviour,
  second: behaviour,
});
type Trait = typeof trait extends fc.Arbitrary<infer T> ? T : never;
type Behaviour = Trait['first'];

/** A pipeline of up to 30 steps, with its cap. */
export const randomPlan = fc
  .record({
    traits: fc.array(trait, { minLength: 1, maxLength: MAX_STEPS }),
    concurrency: fc.integer({ min: 1, max: 6 }),
    /** Without it no step depends on a later one of the list. */
    order: fc.array(fc.nat(1_000), { minLength: MAX_STEPS, maxLength: MAX_STEPS }),
  })
  .map(({ traits, concurrency, order }): PipelineSpec => {
    const steps = withinBound(traits).map(stepOf);
    const mixed = steps.map((step, i) => ({ step, key: order[i] ?? 0 })).toSorted((a, b) => a.key - b.key);
    return { name: 'chaos', concurrency, steps: mixed.map(({ step }) => step) };
  });

/** Groups count as many steps as there are in them. */
function withinBound(traits: readonly Trait[]): Trait[] {
  let room = MAX_STEPS;
  return traits.filter(({ kind }) => (room -= kind === 'agent' ? 1 : kind === 'map' || kind === 'loop' ? 2 : 3) >= 0);
}

function stepOf(one: Trait, i: number): StepSpec {
  const { dependsOn, continueOnError, retry, fallback, kind } = one;
  const before = i === 0 ? [] : [...new Set(dependsOn.map((n) => `s${n % i}`))];
  const isAgent = kind === 'agent';
  return {
    name: `s${i}`,
    dependsOn: before,
    continueOnError,
    ...conditionOf(one.condition, before[0]),
    ...(retry && kind !== 'map' && kind !== 'loop' && { retry: { attempts: 2, baseDelayMs: 700 } }),
    ...(isAgent && fallback === 'value' && { fallback: { value: 'instead' } }),
    ...(isAgent && fallback === 'agent' && { fallback: { agent: 'child' } }),
    ...workOf(one, `s${i}`),
  };
}

function conditionOf(condition: Trait['condition'], earlier: string | undefined): { when?: JsonValue } {
  switch (condition) {
    case 'none':
      return {};
    case 'holds':
      return { when: { '>': [{ var: 'input.level' }, 0] } };
    case 'fails':
      return { when: { '>': [{ var: 'input.level' }, 9] } };
    case 'earlier':
      return earlier === undefined ? {} : { when: { '!!': [{ var: `steps.${earlier}` }] } };
    case 'throws':
      return { when: { length: [{ var: 'input.level' }] } };
  }
}

function workOf({ kind, first, second }: Trait, at: string): StepWork {
  const [x, y] = [
    { name: 'x', ...agentOf(first, `${at}/x`) },
    { name: 'y', ...agentOf(second, `${at}/y`) },
  ];
  switch (kind) {
    case 'agent':
      return agentOf(first, at);
    case 'pipeline':
      return { pipeline: { steps: [x, { ...y, dependsOn: ['x'] }], concurrency: 1 }, input: { level: 1 } };
    case 'parallel':
      return { parallel: [x, y] };
    case 'race':
      return { race: [x, y] };
    case 'map':
      return { map: { over: [1, 2, 3], concurrency: 2, step: agentOf(first, at, true) } };
    case 'loop':
      return { loop: { max: 3, until: { '===': [{ var: 'index' }, 1] }, step: agentOf(first, at, true) } };
  }
}

function agentOf({ acts: does, failures, isOnce }: Behaviour, at: string, isRepeated = false): StepWork {
  const part: Part = { at, acts: does, failures };
  const input = { ...part, ...(isRepeated && { index: { var: 'index' } }) } as unknown as JsonValue;
  return { agent: isOnce ? 'node-once' : 'node', input };
}
