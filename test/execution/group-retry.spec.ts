import type { RunEvent } from '../../src/events/run-event.js';
import type { PipelineSpec } from '../../src/execution/pipeline/pipeline-spec.js';
import type { RunId } from '../../src/shared/ids.js';
import { alice } from '../contracts/storage-world.js';
import { ChaosWorld, settled } from './chaos-world.js';
import { scripted, untilAborted } from './engine-host.js';

/** How often each agent was called, by what it was given. */
const calls = new Map<string, number>();

function called(name: unknown): number {
  const times = (calls.get(name as string) ?? 0) + 1;
  calls.set(name as string, times);
  return times;
}

const ONE_TRY = { retry: { attempts: 1 }, effect: 'idempotent' } as const;
const agents = [
  scripted('sound', (_, { name }) => ({ name, call: called(name) }), ONE_TRY),
  scripted(
    'flaky',
    async (_, { name, failures = 1 }) => {
      await settled(); // whoever is beside it has begun
      if (called(name) <= (failures as number)) throw new Error('not yet');
      return { name };
    },
    ONE_TRY,
  ),
  scripted('deaf', () => new Promise<never>(() => undefined), ONE_TRY),
  scripted('slow-once', (run, { name }) => (called(name) === 1 ? untilAborted(run) : { name }), {
    retry: { attempts: 1 },
  }),
  scripted('slow-at-first', (run, { name }) => (called(name) === 1 ? untilAborted(run) : { name }), ONE_TRY),
];

const step = (name: string, agent: string, rest: object = {}) => ({ name, agent, input: { name }, ...rest });
const TWICE = { retry: { attempts: 2, baseDelayMs: 10 } };

interface Outcome {
  runId: RunId;
  status: string;
  ends: string[];
  result: unknown;
}

describe('a group that may be tried twice', () => {
  let world: ChaosWorld;

  beforeAll(async () => {
    world = await ChaosWorld.open(agents, { CARREL_USER_STARTS_PER_MINUTE: '1000' });
  });

  afterAll(() => world[Symbol.asyncDispose]());

  beforeEach(() => calls.clear());

  async function outcome(spec: PipelineSpec): Promise<Outcome> {
    const { run } = await world.execution.submit(world.as(alice), { pipeline: spec, input: {} });
    for (let i = 0; i < 6; i++) {
      await settled(30);
      world.clock.advance(20);
    }
    const events: RunEvent[] = await world.journal(alice, run.id);
    const ends = events.flatMap((event) =>
      event.type === 'step_completed' ? [`${event.data.step} ${event.data.outcome}`] : [],
    );
    const { status, result } = await world.execution.find(world.as(alice), run.id);
    return { runId: run.id, status, ends, result };
  }

  it('does again what failed and what was not done because of it, and keeps what was done', async () => {
    const inner = [
      step('done', 'sound'),
      step('flaky', 'flaky', { dependsOn: ['done'] }),
      step('slow', 'slow-at-first'),
      step('after', 'sound', { dependsOn: ['flaky'] }),
    ];
    const output = { done: { var: 'steps.done' }, after: { var: 'steps.after' } };
    const pipeline = { steps: inner, output };
    const { status, ends, result } = await outcome({ steps: [{ name: 'all', pipeline, ...TWICE }] });
    expect(ends.slice(0, 2)).toEqual(['all/done ok', 'all/flaky failed']);
    expect(ends.slice(2, 4).toSorted()).toEqual(['all/after skipped', 'all/slow cancelled']);
    expect(ends.slice(4).toSorted()).toEqual(['all ok', 'all/after ok', 'all/flaky ok', 'all/slow ok']);
    expect(status).toBe('completed');
    expect(result).toMatchObject({ output: { done: { call: 1 }, after: { call: 1 } } });
    expect(Object.fromEntries(calls)).toEqual({ done: 1, flaky: 2, slow: 2, after: 1 });
  });

  it('is run once more as a race that nobody has won, and as a nested pipeline', async () => {
    const race = [step('a', 'flaky'), step('b', 'flaky', { input: { name: 'b', failures: 9 } })];
    const pipeline = { steps: [step('c', 'flaky'), step('d', 'sound', { dependsOn: ['c'] })] };
    const { status, ends } = await outcome({
      steps: [
        { name: 'race', race, ...TWICE },
        { name: 'nested', pipeline, dependsOn: ['race'], ...TWICE },
      ],
    });
    expect(status).toBe('completed');
    expect(ends.filter((end) => !end.includes('/'))).toEqual(['race ok', 'nested ok']);
  });

  it('asks its owner before it does again what was cancelled on the way and must be done once', async () => {
    const parallel = [step('flaky', 'flaky'), step('slow', 'slow-once')];
    const { status, runId } = await outcome({ steps: [{ name: 'all', parallel, ...TWICE }] });
    expect([status, calls.get('slow')]).toEqual(['suspended', 1]);
    const { items } = await world.approvals.list(world.as(alice), { open: true }, { limit: 9 });
    const answer = { action: 'again' };
    await world.approvals.respond(world.as(alice), items[0]!.id, { decision: 'answer', answer });
    await settled(30);
    expect(await world.execution.find(world.as(alice), runId)).toMatchObject({ status: 'completed' });
    expect(Object.fromEntries(calls)).toEqual({ flaky: 2, slow: 2 });
  });

  it('fails when its second try does, and is not tried again for what would fail again', async () => {
    const twice = await outcome({
      steps: [{ name: 'all', parallel: [step('x', 'flaky', { input: { name: 'x', failures: 9 } })], ...TWICE }],
    });
    expect([twice.status, calls.get('x')]).toEqual(['failed', 2]);
    const never = await outcome({
      steps: [{ name: 'all', parallel: [step('y', 'sound', { when: { length: [1] } })], ...TWICE }],
    });
    expect([never.status, never.ends]).toEqual(['failed', ['all/y failed', 'all failed']]);
  });
});

describe('a group that is cancelled', () => {
  it('is over when all that is in it is, and not before', async () => {
    await using world = await ChaosWorld.open(agents, { CARREL_CANCEL_GRACE_MS: '50' });
    const steps = [
      step('bad', 'flaky', { input: { name: 'bad', failures: 9 } }),
      { name: 'group', parallel: [step('deaf', 'deaf')] },
    ];
    const { run } = await world.execution.submit(world.as(alice), { pipeline: { steps }, input: {} });
    await settled(40);
    world.clock.advance(50);
    await settled();
    const events = await world.journal(alice, run.id);
    const ends = events.flatMap((event) => (event.type === 'step_completed' ? [event.step] : []));
    expect(ends).toEqual(['bad', 'group/deaf', 'group']);
    expect(events.at(-1)!.type).toBe('agent_error');
  });
});
