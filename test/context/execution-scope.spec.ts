import { z } from 'zod';
import { Agent } from '../../src/agents/agent.decorator.js';
import type { AgentRun } from '../../src/agents/agent-run.js';
import { EngineHost, scripted, settle, untilAborted } from '../execution/engine-host.js';

describe('what an agent has asked to be taken back', () => {
  const ways: [string, (run: AgentRun) => unknown][] = [
    ['succeeds', () => 'done'],
    ['fails', () => Promise.reject(new Error('oops'))],
    ['is cancelled', untilAborted],
    ['is cancelled and does not listen', () => new Promise(() => undefined)],
  ];

  it.each(ways)('is taken back when it %s: the last first, and one that throws stops no other', async (_way, ends) => {
    const log: string[] = [];
    await using host = await EngineHost.boot(
      scripted(
        'borrows',
        (run) => {
          run.onDispose(() => void log.push('first'));
          run.onDispose(async () => {
            await Promise.resolve();
            log.push('second');
          });
          run.onDispose(() => {
            throw new Error('third');
          });
          run.onDispose(() => Promise.reject(new Error('fourth')));
          run.onDispose(() => void log.push('fifth'));
          return ends(run);
        },
        { retry: { attempts: 1 } },
      ),
    );
    const { engine } = host.engineFor('alice');
    const end = engine.executeAgent('borrows', {});
    await settle();
    engine.stop({ kind: 'cancelled', by: 'alice' });
    host.clock.advance(5_000);
    await end;
    expect(log).toEqual(['fifth', 'second', 'first']);
    expect(host.factory.report()).toMatchObject({ failedCleanUps: 2, liveContexts: 0 });
    expect(host.clock.pending).toEqual([]);
  });

  it('holds the end of the run up for the grace period at most, and then lets the others still begin', async () => {
    const log: string[] = [];
    await using host = await EngineHost.boot(
      scripted('hangs', (run) => {
        run.onDispose(() => void log.push('first'));
        run.onDispose(() => new Promise(() => undefined));
        return 'done';
      }),
    );
    const end = host.engineFor('alice').engine.executeAgent('hangs', {});
    await settle();
    expect(log).toEqual([]);
    host.clock.advance(5_000);
    expect(await end).toMatchObject({ status: 'completed' });
    expect(log).toEqual(['first']);
    expect(host.factory.report()).toMatchObject({ failedCleanUps: 1, liveContexts: 0 });
  });

  it('includes the agent itself, when it can be disposed of, after everything that it has asked for', async () => {
    const log: string[] = [];
    class Session {
      run(_input: unknown, run: AgentRun) {
        run.onDispose(() => void log.push(`${this.constructor.name}: what it borrowed`));
        return null;
      }
    }
    class SyncSession extends Session {
      [Symbol.dispose]() {
        log.push('SyncSession: itself');
      }
    }
    class AsyncSession extends Session {
      async [Symbol.asyncDispose]() {
        await Promise.resolve();
        log.push('AsyncSession: itself');
      }
    }
    Agent({ name: 'sync', description: 'Disposable', input: z.any() })(SyncSession as never);
    Agent({ name: 'async', description: 'Disposable', input: z.any() })(AsyncSession as never);
    await using host = await EngineHost.boot(SyncSession, AsyncSession);
    await host.engineFor('alice').engine.executeAgent('sync', {});
    await host.engineFor('bob').engine.executeAgent('async', {});
    expect(log).toEqual([
      'SyncSession: what it borrowed',
      'SyncSession: itself',
      'AsyncSession: what it borrowed',
      'AsyncSession: itself',
    ]);
  });

  it('is taken back after each attempt, before the next one begins', async () => {
    const log: string[] = [];
    await using host = await EngineHost.boot(
      scripted(
        'borrows',
        (run) => {
          const { attempt } = run.context;
          log.push(`${attempt} begins`);
          run.onDispose(() => void log.push(`${attempt} is cleared away`));
          if (attempt === 1) throw new Error('again');
          return null;
        },
        { retry: { attempts: 2, baseDelayMs: 0 } },
      ),
    );
    const end = host.engineFor('alice').engine.executeAgent('borrows', {});
    await settle();
    host.clock.advance(0);
    await end;
    expect(log).toEqual(['1 begins', '1 is cleared away', '2 begins', '2 is cleared away']);
  });
});

describe('a run that is over', () => {
  it('refuses everything that an agent still tries with its handle, and says why', async () => {
    let kept: AgentRun | undefined;
    await using host = await EngineHost.boot(scripted('keeps', (run) => ((kept = run), null)));
    const { engine, emitter, journal } = host.engineFor('alice');
    await engine.executeAgent('keeps', {});
    const closed = { code: 'run_closed' };
    await expect(kept!.thinking('late')).rejects.toMatchObject(closed);
    await expect(kept!.progress(1)).rejects.toMatchObject(closed);
    await expect(kept!.delta('late')).rejects.toMatchObject(closed);
    await expect(kept!.tool('late', {}, async () => 1)).rejects.toMatchObject(closed);
    expect(() => kept!.onDispose(() => undefined)).toThrow(
      expect.objectContaining({
        code: 'context_disposed',
        message: expect.stringContaining(engine.context.correlationId),
      }),
    );
    expect(kept!.signal.aborted).toBe(true);
    expect(kept!.signal.reason).toMatchObject(closed);
    expect(journal.story(await emitter.close())).toEqual([]);
  });

  it("gives alice's and bob's agents nothing that either could change for the other, not even the reason of their end", async () => {
    const reasons: Error[] = [];
    await using host = await EngineHost.boot(
      scripted('listens', (run) => {
        run.signal.addEventListener('abort', () => reasons.push(run.signal.reason as Error));
        return null;
      }),
    );
    for (const user of ['alice', 'bob']) await host.engineFor(user).engine.executeAgent('listens', {});
    expect(reasons).toHaveLength(2);
    for (const reason of reasons) expect(() => Object.assign(reason, { note: 'from alice' })).toThrow(TypeError);
  });

  it('has closed the calls that the agent did not wait for, and the ends that come later change nothing', async () => {
    const looked = Promise.withResolvers<string>();
    let call: Promise<string> | undefined;
    await using host = await EngineHost.boot(
      scripted('leaves', (run) => {
        call = run.tool('look', { password: 'hunter2' }, () => looked.promise);
        return null;
      }),
    );
    const { engine, emitter, journal } = host.engineFor('alice');
    await engine.executeAgent('leaves', {});
    const story = journal.story(await emitter.close());
    looked.resolve('found');
    expect(await call).toBe('found');
    expect(story).toMatchObject([
      { type: 'tool_executing', data: { tool: 'look', arguments: { password: '[redacted]' } } },
      { type: 'tool_completed', data: { outcome: 'error', result: 'the agent ended first' } },
    ]);
    expect(journal.drafts).toEqual([]);
  });
});
