import { Injectable, Scope } from '@nestjs/common';
import { z } from 'zod';
import { RetryableError, TerminalError } from '../../src/agents/agent-error.js';
import { Agent } from '../../src/agents/agent.decorator.js';
import type { AgentRun } from '../../src/agents/agent-run.js';
import { CarrelError } from '../../src/shared/errors.js';
import { EngineHost, Gate, scripted, settle, typesOf, untilAborted } from './engine-host.js';

describe('the end of an execution', () => {
  it('is one of five, and carries the context', async () => {
    await using host = await EngineHost.boot(
      scripted('returns', (run) => (run.use({ tokens: 3 }), { for: run.context.userId })),
      scripted('gives-up', () => Promise.reject(new TerminalError('it is closed'))),
      scripted('waits', untilAborted, { retry: { attempts: 1 } }),
    );
    const [done, failed, late, cancelled] = ['alice', 'bob', 'alice', 'bob'].map((user) => host.engineFor(user));
    expect(await done!.engine.executeAgent('returns', {})).toEqual({
      context: done!.engine.context,
      attempt: 1,
      usage: { tokens: 3 },
      status: 'completed',
      result: { for: 'alice' },
    });
    expect(await failed!.engine.executeAgent('gives-up', {})).toMatchObject({
      context: { userId: 'bob' },
      status: 'failed',
      error: { code: 'agent_failed', message: 'it is closed', retryable: false },
    });
    const [lateEnd, cancelledEnd] = [late, cancelled].map((one) => one!.engine.executeAgent('waits', {}));
    cancelled!.engine.stop({ kind: 'cancelled', by: 'bob' });
    expect(await cancelledEnd).toMatchObject({
      context: { userId: 'bob' },
      status: 'cancelled',
      by: 'bob',
      forced: false,
    });
    await settle();
    host.clock.advance(30_000);
    expect(await lateEnd).toMatchObject({ status: 'timed_out', error: { code: 'attempt_timed_out' } });
    expect(host.factory.report()).toMatchObject({ created: 4, liveContexts: 0 });
    expect(host.clock.pending).toEqual([]);
  });

  it('is forced when the agent does not stop within the grace period, and then is not tried again', async () => {
    await using host = await EngineHost.boot(scripted('deaf', () => new Promise(() => undefined)));
    const { engine, journal } = host.engineFor('alice');
    const end = engine.executeAgent('deaf', {});
    await settle();
    host.clock.advance(30_000); // its time is over
    await settle();
    host.clock.advance(5_000); // and so is the grace period
    expect(await end).toMatchObject({
      status: 'timed_out',
      attempt: 1,
      error: { code: 'attempt_timed_out', retryable: true },
    });
    expect(journal.story()).toEqual([]);
    expect(host.factory.report().liveContexts).toBe(0);
    expect(host.clock.pending).toEqual([]);
  });

  it('tells nothing of an error that only looks like one of ours', async () => {
    const foreign = Object.assign(new Error('postgres://admin:hunter2@db'), { code: 'internal', retryable: false });
    await using host = await EngineHost.boot(
      scripted('rpc', () => Promise.reject(foreign), { retry: { attempts: 1 } }),
    );
    const result = await host.engineFor('alice').engine.executeAgent('rpc', {});
    expect(result).toMatchObject({ status: 'failed', error: { code: 'agent_failed', message: 'The agent failed' } });
    expect(JSON.stringify(result)).not.toContain('hunter2');
  });

  it('sums what attempts used, whatever the agent calls an amount', async () => {
    const amounts = { tokens: 2, bad: Number.NaN, text: 'x' as never, huge: 2n as never, worse: Infinity };
    await using host = await EngineHost.boot(
      scripted(
        'uses',
        (run) => {
          run.use(amounts);
          run.use({ tokens: 1 });
          if (run.context.attempt === 1) throw new RetryableError('again');
          return null;
        },
        { retry: { attempts: 2, baseDelayMs: 0 } },
      ),
    );
    const end = host.engineFor('alice').engine.executeAgent('uses', {});
    await settle();
    host.clock.advance(0);
    const { usage } = await end;
    expect(usage).toEqual({ tokens: 6, huge: 4 });
    expect(() => JSON.stringify(usage)).not.toThrow();
  });
});

describe('an engine', () => {
  it('carries out one run, and says so to whoever wants more of it', async () => {
    await using host = await EngineHost.boot(scripted('returns', () => 1));
    const { engine } = host.engineFor('alice');
    const first = engine.executeAgent('returns', {});
    await expect(engine.executeAgent('returns', {})).rejects.toMatchObject({ code: 'context_disposed' });
    await first;
    await engine[Symbol.asyncDispose]();
    await engine[Symbol.asyncDispose]();
    await expect(engine.executeAgent('returns', {})).rejects.toMatchObject({
      code: 'context_disposed',
      message: expect.stringContaining(engine.context.correlationId),
    });
    expect(host.factory.report()).toEqual({ created: 1, active: 0, disposed: 1, failedCleanUps: 0, liveContexts: 0 });
  });

  it('knows what is open at any moment, and waits for it when it is disposed of', async () => {
    await using host = await EngineHost.boot(scripted('waits', untilAborted));
    const { engine } = host.engineFor('alice');
    const end = engine.executeAgent('waits', {});
    await settle();
    expect(host.factory.report()).toMatchObject({ active: 1, liveContexts: 1 });
    const interrupted = expect(end).rejects.toMatchObject({ code: 'interrupted', attempt: 1 });
    await engine[Symbol.asyncDispose]();
    expect(host.factory.report()).toMatchObject({ active: 0, liveContexts: 0 });
    await interrupted;
  });

  it('refuses an agent that there is not', async () => {
    await using host = await EngineHost.boot(scripted('summarise', () => 1));
    await expect(host.engineFor('alice').engine.executeAgent('summarize', {})).rejects.toMatchObject({
      code: 'unknown_agent',
      message: expect.stringContaining('Did you mean "summarise"'),
    });
  });

  it('never begins the work of a run that was stopped before, or whose time was over before', async () => {
    let begun = 0;
    await using host = await EngineHost.boot(scripted('counts', () => ++begun));
    const stopped = host.engineFor('alice');
    stopped.engine.stop({ kind: 'cancelled', by: 'alice' });
    expect(await stopped.engine.executeAgent('counts', {})).toMatchObject({ status: 'cancelled', forced: false });
    const late = host.engineFor('bob', { deadlineMs: 0 });
    expect(await late.engine.executeAgent('counts', {})).toMatchObject({
      status: 'timed_out',
      error: { code: 'run_timed_out' },
    });
    expect(begun).toBe(0);
  });

  it('never begins the work of an attempt that was stopped while its agent was made', async () => {
    const making = new Gate();
    const log: string[] = [];
    @Injectable({ scope: Scope.REQUEST })
    class Slow {}
    class SlowAgent {
      run() {
        log.push('begun');
      }

      [Symbol.dispose]() {
        log.push('disposed');
      }
    }
    Agent({ name: 'slow', description: 'Slow to be made', input: z.any() })(SlowAgent as never);
    Reflect.defineMetadata('design:paramtypes', [Slow], SlowAgent);
    const provider = { provide: Slow, scope: Scope.REQUEST, useFactory: () => making.pass().then(() => new Slow()) };
    await using host = await EngineHost.boot(SlowAgent, provider as never);
    const { engine } = host.engineFor('alice');
    const end = engine.executeAgent('slow', {});
    await making.reached;
    engine.stop({ kind: 'cancelled', by: 'alice' });
    host.clock.advance(5_000);
    expect(await end).toMatchObject({ status: 'cancelled', forced: true });
    making.open();
    await settle();
    expect(log).toEqual(['disposed']);
  });
});

describe('another attempt', () => {
  const failsOnce = (error: unknown, retry: object = {}) =>
    scripted('fails-once', (run) => (run.context.attempt === 1 ? Promise.reject(error) : 'done'), { retry });

  it.each([
    ['an ordinary error', new Error('oops')],
    ['a text', 'oops'],
    ['nothing', undefined],
    ['a RetryableError', new RetryableError('later')],
  ])('follows %s', async (_what, error) => {
    await using host = await EngineHost.boot(failsOnce(error));
    const { engine, journal } = host.engineFor('alice');
    const end = engine.executeAgent('fails-once', {});
    await settle();
    const [retrying] = journal.story();
    expect(retrying).toMatchObject({
      type: 'agent_retrying',
      attempt: 2,
      data: { attempt: 2, error: { retryable: true } },
    });
    expect(retrying!.data.delayMs).toBeGreaterThanOrEqual(1_000);
    expect(retrying!.data.delayMs).toBeLessThanOrEqual(2_000);
    host.clock.advance(2_000);
    expect(await end).toMatchObject({ status: 'completed', attempt: 2, result: 'done' });
    expect(host.clock.pending).toEqual([]);
  });

  it('waits as long as a RetryableError asks, and not a moment less', async () => {
    await using host = await EngineHost.boot(failsOnce(new RetryableError('busy', { retryAfterMs: 10_000 })));
    const { engine, journal } = host.engineFor('alice');
    let isOver = false;
    const end = engine.executeAgent('fails-once', {}).finally(() => (isOver = true));
    await settle();
    expect(journal.story()[0]!.data).toMatchObject({ delayMs: 10_000, error: { message: 'busy' } });
    host.clock.advance(9_999);
    await settle();
    expect(isOver).toBe(false);
    host.clock.advance(1);
    expect(await end).toMatchObject({ status: 'completed' });
  });

  it.each([Number.NaN, -5, 0])('takes retryAfterMs: %d for no wish at all', async (retryAfterMs) => {
    await using host = await EngineHost.boot(failsOnce(new RetryableError('busy', { retryAfterMs })));
    const { engine, journal } = host.engineFor('alice');
    const end = engine.executeAgent('fails-once', {});
    await settle();
    expect(journal.story()[0]!.data.delayMs).toBeGreaterThanOrEqual(1_000);
    host.clock.advance(2_000);
    expect(await end).toMatchObject({ status: 'completed' });
  });

  it.each([
    ['longer than the run has', 300_000],
    ['for ever', Infinity],
  ])(
    'is not waited for when it would come too late: asked to wait %s, the run ends with its own error',
    async (_what, retryAfterMs) => {
      await using host = await EngineHost.boot(failsOnce(new RetryableError('come back', { retryAfterMs })));
      const { engine, journal } = host.engineFor('alice', { deadlineMs: 60_000 });
      const end = await engine.executeAgent('fails-once', {});
      expect(end).toMatchObject({ status: 'failed', attempt: 1, error: { message: 'come back' } });
      expect(journal.story()).toEqual([]);
    },
  );

  it('has only what is left of the time of the whole run', async () => {
    const stops: number[] = [];
    await using host = await EngineHost.boot(
      scripted('waits', (run) => untilAborted(run).finally(() => stops.push(host.clock.now())), {
        retry: { attempts: 9, baseDelayMs: 0 },
      }),
    );
    const begin = host.clock.now();
    const { engine, journal } = host.engineFor('alice', { deadlineMs: 70_000 });
    const end = engine.executeAgent('waits', {});
    for (const ms of [30_000, 0, 30_000, 0, 10_000]) {
      await settle();
      host.clock.advance(ms);
    }
    expect(await end).toMatchObject({
      status: 'timed_out',
      attempt: 3,
      error: { code: 'run_timed_out', retryable: false },
    });
    expect(stops.map((at) => at - begin)).toEqual([30_000, 60_000, 70_000]);
    expect(typesOf(journal.drafts)).toEqual(['agent_retrying', 'agent_retrying']);
  });

  it('gets the input as it came, whatever the one before has done to it', async () => {
    const seen: unknown[] = [];
    await using host = await EngineHost.boot(
      scripted('mutates', (run, input) => {
        seen.push(JSON.parse(JSON.stringify(input)));
        (input.list as number[]).push(2);
        input.extra = true;
        if (run.context.attempt === 1) throw new Error('again');
        return null;
      }),
    );
    const input = { list: [1] };
    const end = host.engineFor('alice').engine.executeAgent('mutates', input);
    await settle();
    host.clock.advance(2_000);
    await end;
    expect(seen).toEqual([{ list: [1] }, { list: [1] }]);
    expect(input).toEqual({ list: [1] });
  });

  it('is made of fresh parts, also when those of the one before could not be made', async () => {
    let made = 0;
    @Injectable({ scope: Scope.REQUEST })
    class Fragile {
      constructor() {
        if (++made < 3) throw new Error('not yet');
      }
    }
    class FragileAgent {
      run(_input: unknown, run: AgentRun) {
        return run.context.attempt;
      }
    }
    Agent({ name: 'fragile', description: 'Hard to make', input: z.any() })(FragileAgent as never);
    Reflect.defineMetadata('design:paramtypes', [Fragile], FragileAgent);
    await using host = await EngineHost.boot(FragileAgent, Fragile);
    const end = host.engineFor('alice').engine.executeAgent('fragile', {});
    for (let i = 0; i < 2; i++) {
      await settle();
      host.clock.advance(4_000);
    }
    expect(await end).toMatchObject({ status: 'completed', result: 3 });
    expect(host.factory.report().liveContexts).toBe(0);
  });

  it('fails with the agent when its constructor throws, and tells nothing of why', async () => {
    class BrokenAgent {
      constructor() {
        throw new Error('hunter2');
      }
      run() {}
    }
    Agent({ name: 'broken', description: 'Can not be made', input: z.any(), retry: { attempts: 1 } })(
      BrokenAgent as never,
    );
    await using host = await EngineHost.boot(BrokenAgent);
    const end = await host.engineFor('alice').engine.executeAgent('broken', {});
    expect(end).toMatchObject({ status: 'failed', error: { code: 'agent_failed', message: 'The agent failed' } });
    expect(host.factory.report().liveContexts).toBe(0);
  });
});

describe('a stop between two attempts', () => {
  it('ends the wait for the next one at once', async () => {
    await using host = await EngineHost.boot(scripted('fails', () => Promise.reject(new Error('oops'))));
    const { engine, journal } = host.engineFor('alice');
    const end = engine.executeAgent('fails', {});
    await settle();
    expect(typesOf(journal.drafts)).toEqual(['agent_retrying']);
    engine.stop({ kind: 'cancelled', by: 'alice' });
    expect(await end).toMatchObject({ status: 'cancelled', by: 'alice', forced: false, attempt: 2 });
    expect(host.clock.pending).toEqual([]);
  });

  it('counts for what it is when it comes while the failed one is cleared away', async () => {
    const clearing = new Gate();
    await using host = await EngineHost.boot(
      scripted('fails', (run) => {
        run.onDispose(() => clearing.pass());
        throw new Error('oops');
      }),
    );
    const [cancelled, interrupted] = [host.engineFor('alice'), host.engineFor('bob')];
    const ends = [cancelled, interrupted].map(({ engine }) => engine.executeAgent('fails', {}));
    const rejected = expect(ends[1]).rejects.toMatchObject({ code: 'interrupted', attempt: 1 });
    await settle();
    cancelled.engine.stop({ kind: 'cancelled', by: 'alice' });
    interrupted.engine.stop({ kind: 'interrupted' });
    clearing.open();
    expect(await ends[0]).toMatchObject({ status: 'cancelled', attempt: 1 });
    await rejected;
    expect(cancelled.journal.story()).toEqual([]);
  });

  it('changes nothing of a run that has succeeded already', async () => {
    const clearing = new Gate();
    await using host = await EngineHost.boot(
      scripted('succeeds', (run) => {
        run.onDispose(() => clearing.pass());
        return 'done';
      }),
    );
    const { engine } = host.engineFor('alice');
    const end = engine.executeAgent('succeeds', {});
    await clearing.reached;
    engine.stop({ kind: 'cancelled', by: 'alice' });
    clearing.open();
    expect(await end).toMatchObject({ status: 'completed', result: 'done' });
  });
});

describe('a run that loses its journal', () => {
  it('fails, is not tried again, and ends what it had begun', async () => {
    await using host = await EngineHost.boot(
      scripted('floods', async (run) => {
        void run.tool('look', {}, () => new Promise(() => undefined));
        for (let n = 0; n < 2_000; n++) void run.thinking(String(n));
        await untilAborted(run);
      }),
    );
    const { engine, emitter, journal, lost } = host.engineFor('alice');
    const end = await engine.executeAgent('floods', {});
    expect(end).toMatchObject({ status: 'failed', attempt: 1, error: { code: 'agent_failed', retryable: false } });
    expect(lost).toEqual([expect.any(CarrelError)]);
    const story = typesOf(journal.story(await emitter.close()));
    expect(story).toHaveLength(1_001);
    expect([story[0], story.at(-1)]).toEqual(['tool_executing', 'tool_completed']);
  });
});
