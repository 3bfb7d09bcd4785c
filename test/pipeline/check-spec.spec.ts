import fc from 'fast-check';
import type { CarrelError } from '../../src/shared/errors.js';
import { PipelineWorld } from './pipeline-world.js';

let world: PipelineWorld;
beforeAll(async () => {
  world = await PipelineWorld.boot();
});
afterAll(() => world[Symbol.asyncDispose]());

const any = (name: string, rest: object = {}) => ({ name, agent: 'any', ...rest });

async function issuesOf(spec: unknown): Promise<string[]> {
  const error = await world.service.checkSpec(spec).then(
    () => undefined,
    (reason: unknown) => reason as CarrelError,
  );
  expect(error).toMatchObject({ code: 'invalid_pipeline' });
  const issues = error!.details?.['issues'] as unknown as { path: string; message: string }[];
  return issues.map(({ path, message }) => `${path}: ${message}`);
}

/** `n` pipelines, each inside of the one before. */
function nested(n: number): object {
  return n === 0 ? { agent: 'any' } : { pipeline: { steps: [{ name: 's', ...nested(n - 1) }] } };
}

describe('a pipeline as data is refused, naming the path, for', () => {
  it.each<[string, unknown, string]>([
    ['no steps', { steps: [] }, 'steps: must have at least one step'],
    ['something else', 'no such pipeline'.split(' '), ': Invalid input'],
    ['a misspelt option', { steps: [any('a', { timeoutMS: 3 })] }, 'steps[0]: Unrecognized key: "timeoutMS"'],
    ['a step that does nothing', { steps: [{ name: 'a' }] }, 'steps[0]: must do one thing'],
    ['a step that does two things', { steps: [any('a', { pipeline: 'x' })] }, 'steps[0]: must do one thing'],
    ['a malformed name', { steps: [any('a/b')] }, 'steps[0].name: must be letters'],
    ['a name that is there twice', { steps: [any('a'), any('a')] }, 'steps[1].name: "a" is the name of step 1 already'],
    [
      'an unknown step to depend on',
      { steps: [any('alpha'), any('b', { dependsOn: ['alhpa'] })] },
      'steps[1].dependsOn[0]: there is no step "alhpa" beside it. Did you mean "alpha"?',
    ],
    [
      'a cycle',
      { steps: [any('a', { dependsOn: ['c'] }), any('b', { dependsOn: ['a'] }), any('c', { dependsOn: ['b'] })] },
      'steps[0].dependsOn: the steps wait for each other: a → c → b → a',
    ],
    ['a step that waits for itself', { steps: [any('a', { dependsOn: ['a'] })] }, 'a → a'],
    [
      'an unknown agent',
      { steps: [{ name: 'a', agent: 'triaeg' }] },
      'steps[0].agent: There is no agent "triaeg". Did you mean "triage"?',
    ],
    [
      'an unknown fallback agent',
      { steps: [any('a', { fallback: { agent: 'nobody' } })] },
      'steps[0].fallback.agent: There is no agent "nobody"',
    ],
    [
      'an unknown pipeline',
      { steps: [{ name: 'a', pipeline: 'none' }] },
      'steps[0].pipeline: There is no pipeline "none"',
    ],
    [
      'a mistake deep inside',
      {
        steps: [
          {
            name: 'a',
            map: { over: [1], step: { pipeline: { steps: [any('x'), any('y', { when: { var: 'steps.x' } })] } } },
          },
        ],
      },
      'steps[0].map.step.pipeline.steps[1].when.var: it does not depend on the step "x"; add that to "dependsOn"',
    ],
    [
      'a step in parallel that waits for another',
      { steps: [{ name: 'p', parallel: [any('a'), any('b', { dependsOn: ['a'] })] }] },
      'steps[0].parallel[1].dependsOn: must not be there',
    ],
    [
      'a reference to nothing',
      { steps: [any('a', { input: { x: { var: 'inptu.x' } } })] },
      'steps[0].input.x.var: there is nothing called "inptu" here',
    ],
    [
      'item outside of map',
      { steps: [any('a', { input: { var: 'item' } })] },
      'steps[0].input.var: "item" is only known inside of "map"',
    ],
    [
      'last outside of loop',
      { steps: [{ name: 'm', map: { over: [1], step: { agent: 'any', input: { var: 'last' } } } }] },
      'steps[0].map.step.input.var: "last" is only known inside of "loop"',
    ],
    [
      'a reference out of an expression',
      { steps: [any('a', { input: { filter: [{ var: 'input' }, { var: '../../../../x' }] } })] },
      'leads out of the expression',
    ],
    [
      'a condition whose operator is misspelt',
      { steps: [any('a', { when: { nothing: [1] } })] },
      'steps[0].when: has no operator of JSON Logic',
    ],
    [
      'a path that is computed',
      { steps: [any('a', { input: { var: { cat: ['a', 'b'] } } })] },
      'must be a path as text',
    ],
    [
      'an input that the agent would refuse',
      { steps: [{ name: 'a', agent: 'triage', input: { txt: 'x' } }] },
      'steps[0].input: The input does not fit the agent "triage"',
    ],
    [
      'a part of the input that is not there',
      {
        steps: [
          {
            name: 'a',
            input: { text: { var: 'input' } },
            pipeline: { steps: [any('b', { input: { var: 'input.txet' } })] },
          },
        ],
      },
      'steps[0].pipeline.steps[0].input.var: "input" has no "txet" as this pipeline is used. Did you mean "text"?',
    ],
    [
      'too many rounds',
      { steps: [{ name: 'a', loop: { step: { agent: 'any' }, until: true, max: 1001 } }] },
      'steps[0].loop.max: ',
    ],
    ['too many at once', { steps: [any('a')], concurrency: 65 }, 'concurrency: '],
    [
      'too many steps',
      { steps: [{ name: 'x', parallel: Array.from({ length: 200 }, (_, i) => any(`s${i}`)) }] },
      'steps: are 201 in all, at most 200 are allowed',
    ],
    [
      'steps nested too deep',
      { steps: [{ name: 's', ...nested(10) }] },
      'steps: are nested 11 deep, at most 10 are allowed',
    ],
    ['a spec that has no end', { steps: [{ name: 's', ...nested(40) }] }, 'is nested deeper than 80 levels'],
    [
      'keys that reach a prototype',
      JSON.parse('{"steps": [{"name": "a", "agent": "any", "input": {"__proto__": 1}}]}'),
      'has the reserved key "__proto__"',
    ],
    ['a large spec', { steps: [any('a', { input: 'x'.repeat(300_000) })] }, 'at most 262144 are allowed'],
    [
      'a group with a fallback',
      { steps: [{ name: 'p', parallel: [any('a')], fallback: { value: 1 } }] },
      'steps[0].fallback: goes with an agent only',
    ],
    [
      'an input of what has none',
      { steps: [{ name: 'p', parallel: [any('a')], input: 1 }] },
      'steps[0].input: goes with "agent" and "pipeline" only',
    ],
  ])('%s', async (_what, spec, expected) => {
    expect((await issuesOf(spec)).join('\n')).toContain(expected);
  });

  it('everything that is wrong at once', async () => {
    expect(
      await issuesOf({ steps: [{ name: 'a', agent: 'x' }, any('b', { dependsOn: ['c'] }), any('b')] }),
    ).toHaveLength(3);
  });

  it('nested at most as deep as contexts may be', async () => {
    await expect(world.service.checkSpec({ steps: [{ name: 's', ...nested(9) }] })).resolves.toBeDefined();
  });

  it('whatever comes: it is either refused so or carried out', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({ steps: fc.array(fc.jsonValue(), { maxLength: 3 }), output: fc.jsonValue() }),
        async (spec) => {
          await world.service
            .checkSpec(spec)
            .catch((error: unknown) => expect(error).toMatchObject({ code: 'invalid_pipeline' }));
        },
      ),
    );
  });
});

describe('an input', () => {
  it('is refused when a step that is sure to get it would refuse it', async () => {
    const plan = await world.service.resolve({ steps: [{ name: 'a', agent: 'triage' }] });
    await expect(world.service.validate(plan, { txt: 1 })).rejects.toMatchObject({
      code: 'invalid_input',
      message: expect.stringMatching(/^The step "a"/) as string,
    });
    await expect(world.service.validate(plan, { text: 'x' })).resolves.toBeUndefined();
  });
});
