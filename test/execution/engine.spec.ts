import { Injectable, Scope } from '@nestjs/common';
import { z } from 'zod';
import { RetryableError, TerminalError } from '../../src/agents/agent-error.js';
import { Agent } from '../../src/agents/agent.decorator.js';
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
    const interruption = end.catch((error: unknown) => error);
    await engine[Symbol.asyncDispose]();
    expect(host.factory.report()).toMatchObject({ active: 0, liveContexts: 0 });
    expect(await interruption).toMatchObject({ code: 'interrupted', attempt: 1 });
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

  it.each([
    ['within the grace period', 0],
    ['after it', 5_000],
  ])(
    'never begins the work of an agent that was stopped while it was made, and is ready %s',
    async (_when, madeAfterMs) => {
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
      host.clock.advance(madeAfterMs);
      await settle();
      making.open();
      expect(await end).toMatchObject({ status: 'cancelled', forced: madeAfterMs > 0 });
      await settle();
      expect(log).toEqual(['disposed']);
    },
  );
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
