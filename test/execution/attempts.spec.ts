import { Injectable, Scope } from '@nestjs/common';
import { z } from 'zod';
import { RetryableError } from '../../src/agents/agent-error.js';
import { Agent } from '../../src/agents/agent.decorator.js';
import type { AgentRun } from '../../src/agents/agent-run.js';
import { EngineHost, Gate, scripted, settle, typesOf, untilAborted } from './engine-host.js';

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
    const interruption = ends[1]!.catch((error: unknown) => error);
    await settle();
    cancelled.engine.stop({ kind: 'cancelled', by: 'alice' });
    interrupted.engine.stop({ kind: 'interrupted' });
    clearing.open();
    expect(await ends[0]).toMatchObject({ status: 'cancelled', attempt: 1 });
    expect(await interruption).toMatchObject({ code: 'interrupted', attempt: 1 });
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
