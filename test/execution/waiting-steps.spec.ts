import type { AgentRun } from '../../src/agents/agent-run.js';
import { EngineHost, Gate, scripted, settle } from './engine-host.js';
import { Doings, answered, atRest, suspended } from './step-helpers.js';

describe('a question', () => {
  it('suspends the run, and is answered when the agent comes by again', async () => {
    const doings = new Doings();
    const script = async (run: AgentRun) => {
      const draft = await run.step('draft', () => doings.do('draft', 'a letter'));
      const { answer } = await run.ask({ kind: 'question', title: 'Send it?', details: { draft } });
      return { draft, answer } as never;
    };
    await using host = await EngineHost.boot(scripted('asks', script));
    const first = host.engineFor('alice');
    const { suspension } = await suspended(first.engine.executeAgent('asks', {}));
    expect(suspension).toMatchObject({ approvals: [expect.stringMatching(/^apr_/)], untilMs: undefined });
    expect(host.factory.report()).toMatchObject({ liveContexts: 0 });
    expect(host.clock.pending).toEqual([]);

    const recorded = answered(atRest(first.journal), 'yes');
    const second = host.engineFor('alice', { recorded, runId: first.engine.context.runId });
    expect(await second.engine.executeAgent('asks', {})).toMatchObject({
      status: 'completed',
      result: { draft: 'a letter', answer: 'yes' },
    });
    expect(doings.counts).toEqual({ draft: 1 });
    expect(second.journal.drafts).toEqual([]);
  });

  it('waits for steps beside it before the run is suspended, and can be answered meanwhile', async () => {
    const gate = new Gate();
    const script = async (run: AgentRun) => {
      const [{ answer }] = await Promise.all([
        run.ask({ kind: 'question', title: 'Which?' }),
        run.step('long', () => gate.pass()),
      ]);
      return answer as string;
    };
    await using host = await EngineHost.boot(scripted('both', script));
    const { engine, journal } = host.engineFor('alice');
    const end = engine.executeAgent('both', {});
    await gate.reached;
    await settle();
    engine.answered(answered(journal.records, 'this one'));
    await settle();
    gate.open();
    expect(await end).toMatchObject({ status: 'completed', result: 'this one' });
  });

  it('that is another one than was asked fails the run', async () => {
    let title = 'Pay 10?';
    await using host = await EngineHost.boot(
      scripted('changes', async (run) => (await run.ask({ kind: 'approval', title })).decision),
    );
    const first = host.engineFor('alice');
    await suspended(first.engine.executeAgent('changes', {}));
    title = 'Pay 10,000?';
    const recorded = answered(atRest(first.journal), 'yes');
    const second = host.engineFor('alice', { recorded, runId: first.engine.context.runId });
    expect(await second.engine.executeAgent('changes', {})).toMatchObject({
      status: 'failed',
      error: { code: 'nondeterministic_agent' },
    });
  });

  it.each([
    ['no title', { kind: 'question', title: ' ' }],
    ['an unknown kind', { kind: 'command', title: 'Do it' }],
    ['a schema that is none', { kind: 'question', title: 'What?', schema: { type: 'nonsense' } }],
  ])('with %s fails the run', async (_what, question) => {
    await using host = await EngineHost.boot(scripted('wrong', (run) => run.ask(question as never)));
    const { engine } = host.engineFor('alice');
    expect(await engine.executeAgent('wrong', {})).toMatchObject({ status: 'failed', error: { code: 'agent_failed' } });
  });
});

describe('what is used', () => {
  it('in steps is kept with them, and counted once however often the agent comes by', async () => {
    const helper = scripted('helper', (run) => {
      run.use({ tokens: 100 });
      return null;
    });
    const boss = scripted('boss', async (run) => {
      run.use({ passes: 1 });
      await run.step('model', () => run.use({ tokens: 20 }));
      await run.spawn('helper', {});
      await run.ask({ kind: 'approval', title: 'Go on?' });
      await run.step('model', () => run.use({ tokens: 3 }));
      return 'done';
    });
    await using host = await EngineHost.boot(helper, boss);
    const first = host.engineFor('alice');
    await suspended(first.engine.executeAgent('boss', {}));
    const recorded = answered(atRest(first.journal), null);
    const second = host.engineFor('alice', { recorded, runId: first.engine.context.runId });
    expect(await second.engine.executeAgent('boss', {})).toMatchObject({ usage: { tokens: 123, passes: 1 } });
  });
});

describe('a sleep', () => {
  const HOUR = 3_600_000;

  it('of a second is waited for, and of an hour suspends the run', async () => {
    await using host = await EngineHost.boot(
      scripted('sleeps', async (run, { ms }) => {
        await run.sleep(ms as number);
        return host.clock.now() as never;
      }),
    );
    const short = host.engineFor('alice');
    const end = short.engine.executeAgent('sleeps', { ms: 1_000 });
    await settle();
    host.clock.advance(1_000);
    expect(await end).toMatchObject({ status: 'completed' });

    const began = host.clock.now();
    const long = host.engineFor('alice');
    const { suspension } = await suspended(long.engine.executeAgent('sleeps', { ms: HOUR }));
    expect(suspension).toEqual({ approvals: [], untilMs: began + HOUR });

    host.clock.advance(HOUR);
    const later = host.engineFor('alice', { recorded: atRest(long.journal) });
    expect(await later.engine.executeAgent('sleeps', { ms: HOUR })).toMatchObject({ result: began + HOUR });
  });
});
