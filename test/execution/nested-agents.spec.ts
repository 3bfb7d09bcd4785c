import { TerminalError } from '../../src/agents/agent-error.js';
import { EngineHost, scripted, settle, typesOf, untilAborted } from './engine-host.js';
import { Doings, answered, atRest, suspended } from './step-helpers.js';

describe('a spawned agent', () => {
  it('works inside the run, in a context one deeper, and is not called again once it has ended', async () => {
    const doings = new Doings();
    const helper = scripted('helper', async (run, { word }) => {
      doings.do('helper', null);
      await run.thinking(`about ${word as string}`);
      return `${word as string} at depth ${run.context.depth} of ${run.context.userId}`;
    });
    const boss = scripted(
      'boss',
      async (run) => {
        const said = await run.spawn('helper', { word: 'tea' });
        if (run.context.attempt === 1) throw new Error('once more');
        return said;
      },
      { retry: { attempts: 2, baseDelayMs: 0 } },
    );
    await using host = await EngineHost.boot(helper, boss);
    const { engine, journal } = host.engineFor('alice');
    const end = engine.executeAgent('boss', {});
    await settle();
    await settle();
    host.clock.advance(1);
    expect(await end).toMatchObject({ status: 'completed', result: 'tea at depth 1 of alice' });
    expect(doings.counts).toEqual({ helper: 1 });
    expect(journal.drafts.find(({ type }) => type === 'agent_thinking')).toMatchObject({
      step: '1:helper',
      attempt: 1,
    });
  });

  it('that asks suspends the whole run, and is entered again without being asked about', async () => {
    const doings = new Doings();
    const helper = scripted('helper', async (run) => {
      await run.step('prepare', () => doings.do('prepare', null));
      return (await run.ask({ kind: 'question', title: 'How many?' })).answer as number;
    });
    const boss = scripted('boss', async (run) => (await run.spawn<number>('helper', {})) * 2);
    await using host = await EngineHost.boot(helper, boss);
    const first = host.engineFor('alice');
    await suspended(first.engine.executeAgent('boss', {}));
    expect(first.journal.records.map(({ path }) => path)).toEqual([
      '1:helper',
      '1:helper/1:prepare',
      '1:helper/2:question',
    ]);

    const recorded = answered(atRest(first.journal), 21);
    const second = host.engineFor('alice', { recorded, runId: first.engine.context.runId });
    expect(await second.engine.executeAgent('boss', {})).toMatchObject({ status: 'completed', result: 42 });
    expect(doings.counts).toEqual({ prepare: 1 });
    expect(typesOf(second.journal.drafts)).toEqual(['step_started', 'step_completed']);
  });

  it('stops with its run', async () => {
    const stopped: unknown[] = [];
    const helper = scripted('helper', (run) =>
      untilAborted(run).catch((error: unknown) => Promise.reject(stopped.push(error))),
    );
    const boss = scripted('boss', (run) => run.spawn('helper', {}));
    await using host = await EngineHost.boot(helper, boss);
    const { engine } = host.engineFor('alice');
    const end = engine.executeAgent('boss', {});
    await settle();
    engine.stop({ kind: 'cancelled', by: 'alice' });
    expect(await end).toMatchObject({ status: 'cancelled', forced: false });
    expect(stopped).toHaveLength(1);
    expect(host.factory.report()).toMatchObject({ liveContexts: 0 });
  });

  it('nests as deep as contexts do, and no deeper', async () => {
    const deeper = scripted('deeper', (run) => run.spawn('deeper', {}), { retry: { attempts: 1 } });
    await using host = await EngineHost.boot(deeper);
    const { engine } = host.engineFor('alice');
    expect(await engine.executeAgent('deeper', {})).toMatchObject({
      status: 'failed',
      error: { code: 'invalid_request' },
    });
  });
});

describe('a fallback', () => {
  it.each([
    ['a value', { value: 'a guess' }, 'a guess', null],
    ['another agent', { agent: 'stand-in' }, 'from the stand-in', 'stand-in'],
  ])(
    'with %s answers when the agent has failed for good, and the run is degraded',
    async (_what, fallback, result, to) => {
      const failing = scripted('failing', () => Promise.reject(new Error('down')), {
        fallback,
        retry: { attempts: 1 },
      });
      const standIn = scripted('stand-in', () => 'from the stand-in');
      await using host = await EngineHost.boot(failing, standIn);
      const { engine, emitter, journal } = host.engineFor('alice');
      expect(await engine.executeAgent('failing', {})).toMatchObject({ status: 'degraded', result });
      expect(journal.story(await emitter.close()).find(({ type }) => type === 'agent_fallback')).toMatchObject({
        data: { from: 'failing', to },
      });
    },
  );

  it('of an agent inside the run degrades the whole run, also when its step is only found again', async () => {
    const failing = scripted('failing', () => Promise.reject(new Error('down')), {
      fallback: { value: 1 },
      retry: { attempts: 1 },
    });
    const boss = scripted('boss', async (run) => {
      const one = await run.spawn<number>('failing', {});
      await run.ask({ kind: 'approval', title: 'Go on?' });
      return one;
    });
    await using host = await EngineHost.boot(failing, boss);
    const first = host.engineFor('alice');
    await suspended(first.engine.executeAgent('boss', {}));
    const recorded = answered(atRest(first.journal), null);
    const second = host.engineFor('alice', { recorded, runId: first.engine.context.runId });
    expect(await second.engine.executeAgent('boss', {})).toMatchObject({ status: 'degraded', result: 1 });
  });

  it('is not asked when the run is cancelled', async () => {
    const waits = scripted('waits', (run) => untilAborted(run), { fallback: { value: 'never' } });
    await using host = await EngineHost.boot(waits);
    const { engine } = host.engineFor('alice');
    const end = engine.executeAgent('waits', {});
    await settle();
    engine.stop({ kind: 'cancelled', by: 'alice' });
    expect(await end).toMatchObject({ status: 'cancelled' });
  });
});

describe('what is used', () => {
  it('by agents inside the run is a part of what the run used, whether they end well or not', async () => {
    await using host = await EngineHost.boot(
      scripted('succeeds', (run) => {
        run.use({ tokens: 5 });
        return null;
      }),
      scripted('fails', (run) => {
        run.use({ tokens: 5 });
        throw new TerminalError('no');
      }),
      scripted('uses', async (run) => {
        run.use({ tokens: 1 });
        await run.spawn('succeeds', {});
        await run.spawn('fails', {}).catch(() => undefined);
        return null;
      }),
    );
    const [alice, bob] = [host.engineFor('alice'), host.engineFor('bob')];
    const [hers, his] = await Promise.all([
      alice.engine.executeAgent('uses', {}),
      bob.engine.executeAgent('succeeds', {}),
    ]);
    expect([hers.usage, his.usage]).toEqual([{ tokens: 11 }, { tokens: 5 }]);
  });
});
