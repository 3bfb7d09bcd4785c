import type { AgentRun } from '../../src/agents/agent-run.js';
import type { StepRecord } from '../../src/events/step-record.js';
import { newId, type RunId } from '../../src/shared/ids.js';
import { EngineHost, Gate, scripted, settle, typesOf } from './engine-host.js';
import { answered, atRest, Doings, suspended } from './step-helpers.js';

const IDEMPOTENT = { effect: 'idempotent' } as const;

describe('a step', () => {
  it('is done, recorded and told of, with its path', async () => {
    await using host = await EngineHost.boot(
      scripted('counts', (run) => run.step('count', ({ attempt }) => ({ attempt }), IDEMPOTENT)),
    );
    const { engine, journal } = host.engineFor('alice');
    expect(await engine.executeAgent('counts', {})).toMatchObject({ status: 'completed', result: { attempt: 1 } });
    expect(journal.records).toMatchObject([
      { path: '1:count', state: 'ok', effect: 'idempotent', result: { attempt: 1 } },
    ]);
    expect(journal.drafts.map(({ type, step }) => [type, step])).toEqual([
      ['step_started', '1:count'],
      ['step_completed', '1:count'],
    ]);
  });

  it('is not done again by another attempt, but the step is that the attempt failed with', async () => {
    const doings = new Doings();
    const script = async (run: AgentRun) => {
      const a = await run.step('a', () => doings.do('a', 1));
      const b = await run.step('b', () => {
        if (doings.do('b', run.context.attempt) === 1) throw new Error('not yet');
        return 2;
      });
      return a + b;
    };
    await using host = await EngineHost.boot(scripted('retries', script, { retry: { attempts: 2, baseDelayMs: 0 } }));
    const { engine } = host.engineFor('alice');
    const end = engine.executeAgent('retries', {});
    await settle();
    host.clock.advance(1);
    expect(await end).toMatchObject({ status: 'completed', attempt: 2, result: 3 });
    expect(doings.counts).toEqual({ a: 1, b: 2 });
  });

  it('stays failed for another attempt when the agent has dealt with its failure', async () => {
    const doings = new Doings();
    const script = async (run: AgentRun) => {
      const way = await run
        .step('risky', () => Promise.reject(doings.do('risky', new Error('no'))))
        .catch(() => 'other');
      await run.step('after', () => doings.do('after', null));
      if (run.context.attempt === 1) throw new Error('for another reason');
      return way as string;
    };
    await using host = await EngineHost.boot(scripted('deals', script, { retry: { attempts: 2, baseDelayMs: 0 } }));
    const { engine } = host.engineFor('alice');
    const end = engine.executeAgent('deals', {});
    await settle();
    host.clock.advance(1);
    expect(await end).toMatchObject({ status: 'completed', result: 'other' });
    expect(doings.counts).toEqual({ risky: 1, after: 1 });
  });

  it('is tried as often as it says, within one attempt of the run', async () => {
    const script = (run: AgentRun) =>
      run.step(
        'flaky',
        ({ attempt }) => {
          if (attempt < 3) throw new Error('not yet');
          return attempt;
        },
        { retry: { attempts: 3, baseDelayMs: 10 } },
      );
    await using host = await EngineHost.boot(scripted('flaky', script));
    const { engine, journal } = host.engineFor('alice');
    const end = engine.executeAgent('flaky', {});
    for (let i = 0; i < 2; i++) {
      await settle();
      host.clock.advance(40);
    }
    expect(await end).toMatchObject({ status: 'completed', attempt: 1, result: 3 });
    expect(journal.records).toMatchObject([{ state: 'ok', attempts: 3 }]);
    expect(typesOf(journal.drafts).filter((type) => type === 'agent_retrying')).toHaveLength(2);
  });

  it('has its own time, and is told when it is over', async () => {
    const script = (run: AgentRun) =>
      run.step(
        'slow',
        ({ signal }) =>
          new Promise<null>((_, no) => signal.addEventListener('abort', () => no(signal.reason as Error))),
        {
          timeoutMs: 50,
        },
      );
    await using host = await EngineHost.boot(scripted('slow', script, { retry: { attempts: 1 } }));
    const { engine } = host.engineFor('alice');
    const end = engine.executeAgent('slow', {});
    await settle();
    host.clock.advance(50);
    expect(await end).toMatchObject({ status: 'failed', error: { code: 'step_timed_out' } });
    expect(host.clock.pending).toEqual([]);
  });

  it('that the agent did not wait for is waited for before another attempt begins', async () => {
    const gate = new Gate();
    const script = async (run: AgentRun) => {
      void run.step('left behind', () => gate.pass());
      await gate.reached;
      if (run.context.attempt === 1) throw new Error('first');
      return 'second';
    };
    await using host = await EngineHost.boot(scripted('leaves', script, { retry: { attempts: 2, baseDelayMs: 0 } }));
    const { engine, journal } = host.engineFor('alice');
    const end = engine.executeAgent('leaves', {});
    await settle();
    expect(typesOf(journal.drafts)).not.toContain('agent_retrying');
    gate.open();
    await settle();
    host.clock.advance(1);
    expect(await end).toMatchObject({ status: 'completed', result: 'second' });
  });

  it('in another order than recorded fails the run, naming both', async () => {
    const recorded: StepRecord[] = [
      {
        path: '1:charge',
        kind: 'step',
        effect: 'once',
        state: 'ok',
        attempts: 1,
        startedAtMs: 0,
        endedAtMs: 1,
        result: 1,
      },
    ];
    await using host = await EngineHost.boot(scripted('other', (run) => run.step('refund', () => 2)));
    const { engine } = host.engineFor('alice', { recorded, attempt: 2 });
    const end = await engine.executeAgent('other', {});
    expect(end).toMatchObject({ status: 'failed', error: { code: 'nondeterministic_agent', retryable: false } });
    expect(end).toMatchObject({ error: { message: expect.stringMatching(/1:charge.*1:refund/) as string } });
  });

  it('can be one of many at most', async () => {
    const script = async (run: AgentRun) => {
      for (let i = 0; i < 10_001; i++) await run.step('more', () => null, { effect: 'read' });
      return 'too many';
    };
    await using host = await EngineHost.boot(scripted('many', script, { retry: { attempts: 1 } }));
    const { engine } = host.engineFor('alice');
    expect(await engine.executeAgent('many', {})).toMatchObject({
      status: 'failed',
      error: { code: 'too_many_steps' },
    });
  });
});

describe('a step that was under way when the process died', () => {
  const interrupted = (effect: StepRecord['effect']): StepRecord[] => [
    {
      path: '1:before',
      kind: 'step',
      effect: 'once',
      state: 'ok',
      attempts: 1,
      startedAtMs: 0,
      endedAtMs: 1,
      result: 'kept',
    },
    { path: '2:charge', kind: 'step', effect, state: 'started', attempts: 1, startedAtMs: 1 },
  ];
  const script = (doings: Doings, effect: StepRecord['effect']) => async (run: AgentRun) => {
    const before = await run.step('before', () => doings.do('before', 'again'));
    const charge = await run.step('charge', ({ idempotencyKey }) => doings.do('charge', idempotencyKey), { effect });
    return { before, charge };
  };

  it('is done again with the same key when it is idempotent', async () => {
    const doings = new Doings();
    const runId = newId('run');
    await using host = await EngineHost.boot(scripted('pays', script(doings, 'idempotent')));
    const { engine } = host.engineFor('alice', { recorded: interrupted('idempotent'), attempt: 2, runId });
    expect(await engine.executeAgent('pays', {})).toMatchObject({
      result: { before: 'kept', charge: `${runId}:2:charge` },
    });
    expect(doings.counts).toEqual({ charge: 1 });
  });

  it.each([
    ['again', { action: 'again' }, { status: 'completed' }, { charge: 1 }],
    [
      'done',
      { action: 'done', result: 'paid' },
      { status: 'completed', result: { before: 'kept', charge: 'paid' } },
      {},
    ],
    ['fail', { action: 'fail' }, { status: 'failed', error: { code: 'step_not_done' } }, {}],
  ])('once, is not done before its owner says "%s"', async (_word, answer, end, counts) => {
    const doings = new Doings();
    await using host = await EngineHost.boot(scripted('pays', script(doings, 'once')));
    const first = host.engineFor('alice', { recorded: interrupted('once'), attempt: 2 });
    const { suspension } = await suspended(first.engine.executeAgent('pays', {}));
    expect(suspension.approvals).toHaveLength(1);
    expect(doings.counts).toEqual({});
    expect(first.journal.story()).toMatchObject([{ type: 'approval_required', data: { kind: 'question' } }]);

    const recorded = answered([...interrupted('once'), ...atRest(first.journal)], answer);
    const runId = first.engine.context.runId as RunId;
    const second = host.engineFor('alice', { recorded, attempt: 2, runId });
    expect(await second.engine.executeAgent('pays', {})).toMatchObject(end);
    expect(doings.counts).toEqual(counts);
  });
});
