import { threadId } from 'node:worker_threads';
import { Logger } from '@nestjs/common';
import { CarrelError } from '../../../src/shared/errors.js';
import { WorkerHost } from './worker-host.js';

interface Whereabouts {
  threadId: number;
  input: unknown;
  same: boolean;
  context: { userId: string };
  deadline: string;
}

describe('an agent in a worker', () => {
  const host = new WorkerHost();

  afterEach(() => {
    expect(host.workers.live).toBe(0);
  });

  it("runs in a thread of its own, in its user's context, and alice's is not bob's", async () => {
    const attempts = ['alice', 'bob'].map((userId) => host.attempt('whereabouts', { for: userId }, { userId }));
    const seen = (await Promise.all(attempts.map(({ result }) => result))) as Whereabouts[];
    for (const [i, { run, dispose }] of attempts.entries()) {
      expect(seen[i]!.context).toEqual(run.context.toJSON());
      expect(seen[i]!.deadline).toBe(run.deadline.toISOString());
      expect(seen[i]!.same).toBe(true);
      await dispose();
    }
    expect(seen.map(({ input }) => input)).toEqual([{ for: 'alice' }, { for: 'bob' }]);
    expect(new Set([threadId, ...seen.map((one) => one.threadId)]).size).toBe(3);
  });

  it('can do with its run whatever any agent can, and the record stays in the thread of the server', async () => {
    const { run, result, dispose } = host.attempt('toolbox');
    const step = { attempt: 1, idempotencyKey: 'key-of-count', threadId: expect.any(Number) as number };
    const value = await result;
    expect(value).toEqual({
      same: true,
      value: 42,
      step,
      child: { answer: 'other' },
      asked: { decision: 'approved' },
      threadId: (value as { step: { threadId: number } }).step.threadId,
    });
    expect(run.thoughts).toEqual([
      { thought: 'first', step: 1, progress: 0.1 },
      { thought: 'half way', progress: 0.5 },
      { thought: 'looking', progress: 0.2 },
    ]);
    expect(run.deltas).toEqual(['a text']);
    expect(run.toolCalls).toEqual(['look']);
    expect(run.usage).toEqual({ tokens: 7 });
    expect(run.told).toEqual([
      { step: 'count', effect: 'read' },
      { spawn: 'other', input: { text: 'for you' }, name: 'helped' },
      { sleep: 5 },
      { kind: 'approval', title: 'May I?' },
    ]);
    await dispose();
  });

  it('can call the tools of its user', async () => {
    const { run, result, dispose } = host.attempt('tool-using');
    expect(await result).toEqual({
      text: 'looked for alice',
      refused: { code: 'unknown_tool', details: { near: ['look'] } },
    });
    expect(run.told).toEqual([
      ['app', 'look', { at: 'it' }],
      ['app', 'other', undefined],
    ]);
    await dispose();
  });

  it('can be an async generator', async () => {
    const { run, result, dispose } = host.attempt('generating');
    expect(await result).toEqual({ text: 'one ' });
    expect(run.deltas).toEqual(['one ', 'two']);
    expect(run.thoughts).toEqual([{ thought: 'between' }]);
    await dispose();
    expect(await host.carryOut('generating', { returns: 'this' })).toEqual({ said: 'this' });
  });

  describe('throws', () => {
    it('errors of ours as they are', async () => {
      await expect(host.carryOut('failing', { how: 'retryable' })).rejects.toMatchObject({
        name: 'RetryableError',
        code: 'agent_failed',
        message: 'come back',
        retryable: true,
        retryAfterMs: 1234,
        cause: expect.objectContaining({ message: 'the reason' }),
      });
      const terminal = { name: 'TerminalError', code: 'agent_failed', message: 'never', retryable: false };
      await expect(host.carryOut('failing', { how: 'terminal' })).rejects.toMatchObject(terminal);
    });

    it('any other error with its facts for the log, and as none of ours', async () => {
      const error: unknown = await host.carryOut('failing', { how: 'plain' }).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ message: 'password=hunter2', code: 'ENOENT' });
      expect((error as Error).stack).toContain('worker-agents.module.mjs');
      expect('retryable' in (error as object)).toBe(false);
      await expect(host.carryOut('failing', { how: 'text' })).rejects.toMatchObject({ message: 'thrown: a text' });
    });

    it('what its own functions have thrown, and what the server has, as the same objects', async () => {
      expect(await host.carryOut('failing', { how: 'own' })).toEqual({ same: true });
      const { run, result, dispose } = host.attempt('failing', { how: 'theirs' });
      await expect(result).rejects.toBe(run.refusal);
      await dispose();
    });
  });

  describe('is told clearly what can not cross over', () => {
    it.each([
      ['function', "the result of the agent can't leave its worker as plain JSON: it is a function"],
      ['bigint', "the result of the agent can't leave its worker as plain JSON: Do not know how to serialize a BigInt"],
      ['step', 'the result of the step "odd" can\'t leave its worker as plain JSON: it is a function'],
    ])('as a result (%s)', async (how, message) => {
      const error = { code: 'invalid_result', message, retryable: false };
      await expect(host.carryOut('failing', { how })).rejects.toMatchObject(error);
    });

    it('as an argument, or as its input', async () => {
      const message = expect.stringMatching(
        /^spawn\(…\) was called with what can't cross .* Give it plain data$/,
      ) as string;
      await expect(host.carryOut('failing', { how: 'argument' })).rejects.toMatchObject({
        code: 'agent_failed',
        message,
      });
      const input = { f: () => 1 };
      await expect(host.carryOut('failing', input)).rejects.toMatchObject({
        message: expect.stringMatching(/^run\(…\)/),
      });
    });

    it('and may return nothing', async () => {
      expect(await host.carryOut('failing', { how: 'nothing' })).toBeUndefined();
    });
  });

  describe('fails alone', () => {
    it('when it needs more than its heap', async () => {
      await expect(host.carryOut('failing', { how: 'heap' }, { memoryMb: 32 })).rejects.toMatchObject({
        code: 'worker_failed',
        message: expect.stringMatching(/more than the 32 MB of heap of its worker; raise memoryMb/),
        retryable: false,
      });
    });

    it('when it ends its process', async () => {
      const message = 'the agent ended its worker with process.exit(3); have it return a result or throw';
      await expect(host.carryOut('failing', { how: 'exit' })).rejects.toMatchObject({ code: 'worker_failed', message });
    });

    it('when it throws where nobody catches', async () => {
      await expect(host.carryOut('failing', { how: 'uncaught' })).rejects.toMatchObject({
        code: 'worker_failed',
        message: expect.stringMatching(/threw where nobody could catch it/),
        cause: expect.objectContaining({ message: 'nobody catches' }),
        retryable: true,
      });
    });

    it('when it calls and calls, and awaits nothing', async () => {
      const { run, result, dispose } = host.attempt('failing', { how: 'flood' });
      const message = expect.stringMatching(/1000 times without awaiting/) as string;
      await expect(result).rejects.toMatchObject({ code: 'agent_failed', message, retryable: false });
      expect(run.thoughts.length).toBeLessThanOrEqual(1_000);
      await dispose();
    });

    it('and not when it leaves a rejected promise behind, which is logged', async () => {
      const logged: unknown[] = [];
      const quiet = () => undefined;
      Logger.overrideLogger({ log: quiet, warn: quiet, error: (facts: unknown) => logged.push(facts) });
      expect(await host.carryOut('failing', { how: 'unheard' })).toBe('went on');
      Logger.overrideLogger(false);
      const err = expect.objectContaining({ message: 'nobody listens' }) as Error;
      expect(logged).toEqual([expect.objectContaining({ err, agent: 'failing', userId: 'alice' })]);
    });
  });

  describe('when its signal is aborted', () => {
    const reason = new CarrelError('run_closed', 'the run was cancelled by alice');

    it('ends with the very reason, and cleans up before its thread is ended', async () => {
      const { run, result, abort, dispose } = host.attempt('tidy');
      await run.thought('at work');
      abort(reason);
      await expect(result).rejects.toMatchObject({ name: 'AbortError', cause: reason });
      expect(await dispose()).toMatchObject([{ message: 'no' }]);
      expect(run.thoughts.map(({ thought }) => thought)).toEqual(['at work', 'cleaned up', 'disposed of']);
    });

    it('hears of it in the middle of a loop that asks', async () => {
      const { run, result, abort, dispose } = host.attempt('polite');
      await run.thought('at work');
      abort(reason);
      expect(await result).toEqual({ turns: expect.any(Number) as number, reason: 'run_closed' });
      await dispose();
    });

    it('is not begun when that was before', async () => {
      const { run, result, abort, dispose } = host.attempt('tidy');
      abort(reason); // its thread is only just beginning
      await expect(result).rejects.toBe(reason);
      expect(run.thoughts).toEqual([]);
      await dispose();
    });

    it('and a step has a signal of its own', async () => {
      expect(await host.carryOut('stepping')).toEqual({
        code: 'ABORT_ERR',
        message: 'The operation was aborted',
        aborted: false,
      });
    });
  });

  it('is really ended with its attempt, also in the middle of a loop that never ends', async () => {
    const { run, result, dispose } = host.attempt('hogging', { ms: 600_000 });
    await run.thought('at work');
    expect(host.workers.live).toBe(1);
    const began = performance.now();
    await dispose();
    expect(performance.now() - began).toBeLessThan(2_000);
    expect(host.workers.live).toBe(0);
    await expect(result).rejects.toMatchObject({ code: 'worker_failed' });
  });

  it('leaves no thread behind after many attempts of all kinds', async () => {
    const kinds = [
      ['whereabouts'],
      ['failing', { how: 'terminal' }],
      ['failing', { how: 'exit' }],
      ['tidy', { stubborn: 1 }],
    ] as const;
    for (let round = 0; round < 3; round++) {
      await Promise.all(kinds.map(([name, input]) => host.carryOut(name, input).catch(() => undefined)));
      expect(host.workers.live).toBe(0);
    }
  });
});
