import { RunRunner } from '../../src/execution/run-runner.service.js';
import type { ApprovalId, RunId } from '../../src/shared/ids.js';
import { alice } from '../contracts/storage-world.js';
import { ChaosWorld, settled } from './chaos-world.js';
import { scripted } from './engine-host.js';

const QUESTION = { kind: 'question', title: 'What now?', expiresInMs: 60_000 } as const;
const calls: string[] = [];

const agents = [
  scripted('asks', async (run) => ({ said: (await run.ask(QUESTION)).decision }), { effect: 'idempotent' }),
  scripted(
    'hopeless',
    () => {
      calls.push('hopeless');
      throw new Error('no');
    },
    { retry: { attempts: 2, baseDelayMs: 10 }, fallback: { agent: 'asks' } },
  ),
];

describe('a run that is suspended', () => {
  let world: ChaosWorld;

  beforeEach(async () => {
    calls.length = 0;
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
});
