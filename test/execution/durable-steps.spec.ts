import type { AgentRun } from '../../src/agents/agent-run.js';
import { RunSuspended } from '../../src/execution/user-execution-engine.js';
import { newId, type RunId } from '../../src/shared/ids.js';
import type { StepRecord } from '../../src/events/step-record.js';
import { EngineHost, Gate, scripted, settle, typesOf, untilAborted, type EngineUnderTest } from './engine-host.js';

const IDEMPOTENT = { effect: 'idempotent' } as const;

/** Counts how often each thing was really done. */
class Doings {
  readonly counts: Record<string, number> = {};

  do<T>(what: string, value: T): T {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
    return value;
  }
}

async function suspended(end: Promise<unknown>): Promise<RunSuspended> {
  const error = await end.then(
    (result) => result,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(RunSuspended);
  return error as RunSuspended;
}

/** What the store would have when the run goes on. */
function atRest(journal: EngineUnderTest['journal']): StepRecord[] {
  return journal.records.map((record) => (record.state === 'started' ? { ...record, state: 'waiting' } : record));
}

function answered(records: readonly StepRecord[], answer: unknown, path?: string): StepRecord[] {
  return records.map((record) =>
    record.kind === 'ask' && record.state !== 'ok' && (path === undefined || record.path === path)
      ? { ...record, state: 'ok', result: { decision: 'answered', answer: answer as never }, endedAtMs: 1 }
      : record,
  );
}

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
