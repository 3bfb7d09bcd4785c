import { RunRunner } from '../../src/execution/run-runner.service.js';
import type { ApprovalId, RunId } from '../../src/shared/ids.js';
import { alice } from '../contracts/storage-world.js';
import { ChaosWorld, settled } from './chaos-world.js';
import { Gate, scripted, untilAborted } from './engine-host.js';

const QUESTION = { kind: 'question', title: 'What now?', expiresInMs: 60_000 } as const;
const calls: string[] = [];

let gates: Gate[];
const heard: string[] = [];

const agents = [
  scripted('asks-two', async (run) => {
    if (calls.push('asks-two') > 1) await gates[0]!.pass(); // it is slow to come by its questions again
    const [first, second] = [run.ask(QUESTION), run.ask(QUESTION)];
    await first;
    const slow = run.step('slow', () => gates[1]!.pass(), { effect: 'read' });
    heard.push((await second).decision);
    await slow;
    return heard.length;
  }),
  scripted(
    'charges',
    async (run) => {
      const charging = run.step('charge', () => {
        calls.push('charge');
        return untilAborted(run);
      });
      if (run.context.attempt > 1) return { charged: await charging };
      await settled();
      throw new Error('the line is dead');
    },
    { retry: { attempts: 2, baseDelayMs: 10 } },
  ),
  scripted('asks', async (run) => ({ said: (await run.ask(QUESTION)).decision }), { effect: 'idempotent' }),
  scripted(
    'hopeless',
    () => {
      calls.push('hopeless');
      throw new Error('no');
    },
    { retry: { attempts: 2, baseDelayMs: 10 }, fallback: { agent: 'asks' } },
  ),
  scripted('stands-in', (run) => run.spawn('asks', {}, { insteadOf: { name: 'files/read', reason: 'no' } }), {
    effect: 'idempotent',
  }),
];

describe('a run that is suspended', () => {
  let world: ChaosWorld;

  beforeEach(async () => {
    calls.length = 0;
    heard.length = 0;
    gates = [new Gate(), new Gate()];
    world = await ChaosWorld.open(agents, {});
  });

  afterEach(() => world[Symbol.asyncDispose]());

  const start = async (agent: string): Promise<RunId> =>
    (await world.execution.submit(world.as(alice), { agent, input: {} })).run.id;
  const statusOf = async (runId: RunId) => (await world.execution.find(world.as(alice), runId)).status;

  /** Does something in the very tick in which the run is suspended. */
  function whenSuspending(then: (approvalId: ApprovalId) => void): void {
    const { runs } = world.storage;
    const suspend = runs.suspend.bind(runs);
    runs.suspend = (...args) => {
      const end = suspend(...args);
      then(args[3].approvals[0]!);
      return end;
    };
  }

  it('goes on when it is answered in the same moment', async () => {
    whenSuspending((id) => void world.approvals.respond(world.as(alice), id, { decision: 'answer', answer: 1 }));
    const runId = await start('asks');
    await settled(40);
    expect(await statusOf(runId)).toBe('completed');
    expect(world.get(RunRunner).activeCount).toBe(0);
  });

  it('hears an answer that comes before it has come by the question again, whatever else is at work in it', async () => {
    const runId = await start('asks-two');
    await settled();
    const { items } = await world.approvals.list(world.as(alice), { open: true }, { limit: 9 });
    const [first, second] = items.map(({ id }) => id).toSorted();
    const answer = { decision: 'answer', answer: 1 } as const;
    await world.approvals.respond(world.as(alice), first!, answer);
    await gates[0]!.reached;
    await world.approvals.respond(world.as(alice), second!, answer);
    await settled();
    gates[0]!.open();
    await gates[1]!.reached;
    await settled();
    expect(heard).toEqual(['answered']);
    gates[1]!.open();
    await settled();
    expect(await world.execution.find(world.as(alice), runId)).toMatchObject({ status: 'completed', result: 1 });
    expect(calls).toHaveLength(2);
  });

  it('because a step must not be done twice goes on as its owner has decided', async () => {
    const runId = await start('charges');
    for (let i = 0; i < 3; i++) {
      await settled(30);
      world.clock.advance(20);
    }
    expect(await statusOf(runId)).toBe('suspended');
    const { items } = await world.approvals.list(world.as(alice), { open: true }, { limit: 9 });
    const answer = { action: 'done', result: 200 };
    await world.approvals.respond(world.as(alice), items[0]!.id, { decision: 'answer', answer });
    await settled(30);
    expect(calls).toEqual(['charge']);
    expect(await world.execution.find(world.as(alice), runId)).toMatchObject({ result: { charged: 200 } });
  });

  it('goes on when its time is over in the same moment', async () => {
    whenSuspending(() => world.clock.advance(60_000));
    const runId = await start('asks');
    await settled(40);
    expect(await statusOf(runId)).toBe('completed');
  });

  it('inside a fallback goes on there, and does not try again what has failed for good', async () => {
    const runId = await start('hopeless');
    for (let i = 0; i < 3; i++) {
      await settled();
      world.clock.advance(20);
    }
    expect(await statusOf(runId)).toBe('suspended');
    const { items } = await world.approvals.list(world.as(alice), { open: true }, { limit: 9 });
    await world.approvals.respond(world.as(alice), items[0]!.id, { decision: 'answer', answer: 1 });
    await settled();
    expect(await world.execution.find(world.as(alice), runId)).toMatchObject({
      status: 'degraded',
      result: { said: 'answered' },
    });
    expect(calls).toEqual(['hopeless', 'hopeless']);
    const types = (await world.journal(alice, runId)).map(({ type }) => type);
    expect(types.filter((type) => type === 'agent_fallback' || type === 'agent_retrying')).toHaveLength(2);
  });

  it('inside an agent that answers instead of something else has told of that once', async () => {
    const runId = await start('stands-in');
    await settled();
    expect(await statusOf(runId)).toBe('suspended');
    const { items } = await world.approvals.list(world.as(alice), { open: true }, { limit: 9 });
    await world.approvals.respond(world.as(alice), items[0]!.id, { decision: 'answer', answer: 1 });
    await settled();
    expect(await statusOf(runId)).toBe('degraded');
    const types = (await world.journal(alice, runId)).map(({ type }) => type);
    expect(types.filter((type) => type === 'agent_fallback')).toHaveLength(1);
  });
});
