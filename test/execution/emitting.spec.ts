import { Module } from '@nestjs/common';
import type { AgentRun } from '../../src/agents/agent-run.js';
import { CarrelServer, isTerminal, type CarrelUser, type RecordingSocket } from '../carrel-server.js';
import { pause, ScriptedAgentsModule } from '../scripted-agents.module.js';
import { scripted } from './engine-host.js';

const NO_PROGRESS_MS = 200;

/** Takes much longer than an agent may go without a sign of life, and gives such a sign now and then. */
const alive = (name: string, sign: (run: AgentRun) => void) =>
  scripted(
    name,
    async (run) => {
      for (let n = 0; n < 10; n++) {
        await pause(NO_PROGRESS_MS / 4, run.signal);
        sign(run);
      }
      return 'alive';
    },
    { retry: { attempts: 1 } },
  );

const flood = (name: string, awaits: boolean) =>
  scripted(name, async (run) => {
    const open = run.tool('look', {}, () => pause(60_000, run.signal));
    open.catch(() => undefined);
    for (let n = 1; n <= 2_000; n++) {
      const emitted = run.thinking(`thought ${n}`, { step: n });
      if (awaits) await emitted;
    }
    await pause(50);
    return 'done';
  });

@Module({
  imports: [ScriptedAgentsModule],
  providers: [
    alive('progresses', (run) => void run.progress(0.5)),
    alive('thinks', (run) => void run.thinking('hm')),
    alive('speaks', (run) => void run.delta('hm ')),
    scripted(
      'has-tools',
      (run) =>
        run.tool('dig', {}, async ({ progress }) => {
          for (let n = 1; n <= 10; n++) {
            await pause(NO_PROGRESS_MS / 4, run.signal);
            void progress(n / 10);
          }
          return 'alive';
        }),
      { retry: { attempts: 1 } },
    ),
    flood('floods', false),
    flood('pours', true),
  ],
})
class EmittingAgentsModule {}

describe('what an agent emits', () => {
  let server: CarrelServer;
  let alice: CarrelUser;
  let bob: CarrelUser;
  let hers: RecordingSocket;

  beforeAll(async () => {
    const env = { CARREL_NO_PROGRESS_MS: String(NO_PROGRESS_MS), CARREL_USER_MAX_RUNNING: '10' };
    server = await CarrelServer.start({ agents: [EmittingAgentsModule], env });
    [alice, bob] = await Promise.all([server.as('alice'), server.as('bob')]);
    hers = await alice.connect({ after: 0 });
  });

  afterAll(() => server.close());

  it.each(['progresses', 'thinks', 'speaks', 'has-tools'])('keeps it from being declared dead: %s', async (agent) => {
    expect(await alice.end((await alice.start(agent, {})).id)).toMatchObject({ status: 'completed', result: 'alive' });
  });

  it('lets a run fail when it is 2,000 events that the agent does not wait for, while bob goes on as ever', async () => {
    const { id } = await alice.start('floods', {});
    const his = bob.end((await bob.start('echo', { text: 'as ever' })).id);
    const run = await alice.end(id);
    expect(run).toMatchObject({ status: 'failed', attempt: 1, error: { code: 'agent_failed' } });
    expect(run.error!.message).toBe('the agent emitted 1000 events without awaiting one');
    expect(await his).toMatchObject({ status: 'completed' });
    const own = hers.events.filter(({ runId }) => runId === id);
    expect(own.map(({ runSeq }) => runSeq)).toEqual(own.map((_, i) => i + 1));
    expect(own.slice(-2).map(({ type }) => type)).toEqual(['tool_completed', 'agent_error']);
    const steps = own.flatMap((event) => (event.type === 'agent_thinking' ? [event.data.step] : []));
    expect(steps).toEqual(steps.map((_, i) => i + 1)); // what was taken was taken in order
  });

  it('is all in the journal, in order, when it is 2,000 events that the agent waits for', async () => {
    const { id } = await alice.start('pours', {});
    expect(await alice.end(id)).toMatchObject({ status: 'completed', result: 'done' });
    await hers.until((event) => event.runId === id && isTerminal(event));
    const own = hers.events.filter(({ runId }) => runId === id);
    expect(own.flatMap((event) => (event.type === 'agent_thinking' ? [event.data.step] : []))).toEqual(
      Array.from({ length: 2_000 }, (_, i) => i + 1),
    );
    expect(own.at(-2)).toMatchObject({ type: 'tool_completed', data: { outcome: 'error' } });
  });
});
