import { Injectable, Scope } from '@nestjs/common';
import { TerminalError } from '../../../src/agents/agent-error.js';
import type { AgentExecutionResult } from '../../../src/execution/agent-execution-result.js';
import { ExecutionHook, type RunFacts } from '../../../src/execution/hooks/execution-hook.js';
import { NO_HOOKS } from '../../../src/execution/hooks/hook-session.js';
import { toRunError } from '../../../src/execution/run-failure.js';
import { contextOf } from '../../agents/recording-run.js';
import { RUN_ERROR } from '../../contracts/storage-world.js';
import { completed, FACTS, hook, HookHost, teamModule } from './hook-host.js';
import { RunCounts } from './run-counts.hook.js';

const never = () => new Promise<void>(() => undefined);

describe('the hooks of a run', () => {
  let story: string[];
  beforeEach(() => {
    story = [];
  });

  it('begin in their order, then by name, and end the other way round', async () => {
    await using host = await HookHost.boot(
      hook('Beta', story),
      hook('Last', story, {}, { order: 10 }),
      hook('Alpha', story),
      hook('First', story, {}, { order: -1 }),
    );
    const session = await host.chain.begin(contextOf('alice'), FACTS);
    await session.ended(completed());
    await session[Symbol.asyncDispose]();
    const names = ['First', 'Alpha', 'Beta', 'Last'];
    expect(story).toEqual([
      ...names.map((name) => `${name}.beforeRun`),
      ...names.toReversed().map((name) => `${name}.afterRun`),
      ...names.toReversed().map((name) => `${name}.dispose`),
    ]);
  });

  it('hear of one end, once, and are disposed of once', async () => {
    await using host = await HookHost.boot(hook('Only', story));
    const session = await host.chain.begin(contextOf('alice'), FACTS);
    await session.failed(RUN_ERROR);
    await session.failed(RUN_ERROR);
    await session.ended(completed());
    await Promise.all([session[Symbol.asyncDispose](), session[Symbol.asyncDispose]()]);
    expect(story).toEqual(['Only.beforeRun', 'Only.onError', 'Only.dispose']);
  });

  it('are told whose run it is, what of, and how it ended, and can change nothing of it', async () => {
    const seen: unknown[] = [];
    const write = (value: object) => () => Object.assign(value, { changed: true });
    const listens = {
      beforeRun: (context: object, facts: RunFacts) => {
        seen.push(context, facts);
        expect(write(facts.input as object)).toThrow(TypeError);
      },
      afterRun: (context: object, result: AgentExecutionResult & { result: object }) => {
        seen.push(context, result);
        expect(write(result)).toThrow(TypeError);
        expect(write(result.result)).toThrow(TypeError);
      },
    };
    await using host = await HookHost.boot(hook('Listening', story, listens));
    const context = contextOf('alice');
    const result = completed();
    await using session = await host.chain.begin(context, FACTS);
    await session.ended(result);
    expect(seen).toEqual([context, FACTS, context, result]);
    expect(host.logged).toEqual([]);
  });

  it("hear of bob's run in bob's context, while alice's is under way", async () => {
    const seen: string[] = [];
    const note = (method: string) => (context: { userId: string }) => seen.push(`${context.userId} ${method}`);
    await using host = await HookHost.boot(
      hook('Noting', story, { beforeRun: note('began'), afterRun: note('ended') }),
    );
    await using alice = await host.chain.begin(contextOf('alice'), FACTS);
    await using bob = await host.chain.begin(contextOf('bob'), FACTS);
    await bob.ended(completed('bob'));
    await alice.ended(completed('alice'));
    expect(seen).toEqual(['alice began', 'bob began', 'bob ended', 'alice ended']);
  });

  it('cost nothing where there are none', async () => {
    await using host = await HookHost.boot();
    expect(await host.chain.begin(contextOf('alice'), FACTS)).toBe(NO_HOOKS);
    expect(host.clock.pending).toEqual([]);
  });

  describe('when one refuses', () => {
    it('fail the run with its words, dispose of those before it, and leave out those behind it', async () => {
      const refuse = () => {
        throw new TerminalError('The budget of this month is spent');
      };
      await using host = await HookHost.boot(
        hook('A', story),
        hook('B', story),
        hook('C', story, { beforeRun: refuse }),
        hook('D', story),
      );
      await expect(host.chain.begin(contextOf('alice'), FACTS)).rejects.toMatchObject({
        code: 'hook_failed',
        message: 'The budget of this month is spent',
        retryable: false,
      });
      expect(story).toEqual(['A.beforeRun', 'B.beforeRun', 'C.beforeRun', 'B.dispose', 'A.dispose']);
    });

    it('keep the words of any other error to the log', async () => {
      const refuse = () => Promise.reject(new Error('password=hunter2'));
      await using host = await HookHost.boot(hook('Careless', story, { beforeRun: refuse }));
      const error: unknown = await host.chain.begin(contextOf('alice'), FACTS).catch((thrown: unknown) => thrown);
      const told = toRunError(error, { agent: 'summarise', attempt: 1 });
      expect(told).toMatchObject({ code: 'hook_failed', message: 'A hook refused the run' });
      expect(told.supportCode).toMatch(/^sup_/);
      expect(JSON.stringify(told)).not.toContain('hunter2');
    });

    it('give it 5 s, and give back what it takes after that', async () => {
      const late = Promise.withResolvers<void>();
      await using host = await HookHost.boot(hook('A', story), hook('Slow', story, { beforeRun: () => late.promise }));
      const beginning = host.chain.begin(contextOf('alice'), FACTS);
      beginning.catch(() => undefined);
      await waitFor(() => story.includes('Slow.beforeRun'));
      host.clock.advance(5_000);
      await expect(beginning).rejects.toMatchObject({
        code: 'hook_failed',
        message: 'The hook Slow did not let the run begin: it took longer than 5000 ms',
      });
      expect(story.at(-1)).toBe('A.dispose');
      late.resolve();
      await waitFor(() => story.at(-1) === 'Slow.dispose');
    });

    it('end at once when the run is cancelled meanwhile', async () => {
      const controller = new AbortController();
      await using host = await HookHost.boot(hook('A', story), hook('Slow', story, { beforeRun: never }));
      const beginning = host.chain.begin(contextOf('alice', controller.signal), FACTS);
      beginning.catch(() => undefined);
      await waitFor(() => story.includes('Slow.beforeRun'));
      const reason = new Error('cancelled');
      controller.abort(reason);
      await expect(beginning).rejects.toBe(reason);
      expect(story.at(-1)).toBe('A.dispose');
      expect(host.clock.pending).toEqual([]);
    });
  });

  it.each(['afterRun', 'onError', 'dispose'] as const)('stop nobody when %s throws, and log it', async (method) => {
    const fail = () => Promise.reject(new Error('no'));
    await using host = await HookHost.boot(hook('A', story), hook('B', story, { [method]: fail }));
    const session = await host.chain.begin(contextOf('alice'), FACTS);
    await (method === 'onError' ? session.failed(RUN_ERROR) : session.ended(completed()));
    await session[Symbol.asyncDispose]();
    expect(story).toContain(`A.${method}`);
    expect(story.slice(-2)).toEqual(['B.dispose', 'A.dispose']);
    expect(host.logged).toEqual([`${method} of the hook B failed`]);
  });

  it.each(['afterRun', 'onError', 'dispose'] as const)('do not wait longer than 5 s for %s', async (method) => {
    await using host = await HookHost.boot(hook('A', story), hook('B', story, { [method]: never }));
    const session = await host.chain.begin(contextOf('alice'), FACTS);
    const end = (async () => {
      await (method === 'onError' ? session.failed(RUN_ERROR) : session.ended(completed()));
      await session[Symbol.asyncDispose]();
    })();
    await waitFor(() => story.includes(`B.${method}`));
    host.clock.advance(5_000);
    await end;
    expect(story).toContain(`A.${method}`);
    expect(story.at(-1)).toBe('A.dispose');
    expect(host.logged).toEqual([`${method} of the hook B failed`]);
    expect(host.clock.pending).toEqual([]);
  });

  it('can be a metrics hook: it counts by agent and outcome, and forgets the run with its end', async () => {
    await using host = await HookHost.boot(RunCounts);
    const counts = host.get(RunCounts);
    for (const userId of ['alice', 'bob']) {
      await using session = await host.chain.begin(contextOf(userId), FACTS);
      expect(counts.running).toBe(1);
      await session.ended(completed(userId));
    }
    const suspended = await host.chain.begin(contextOf('alice'), FACTS);
    await suspended[Symbol.asyncDispose]();
    await using session = await host.chain.begin(contextOf('bob'), { ...FACTS, name: 'compare' });
    await session.failed(RUN_ERROR);
    await session[Symbol.asyncDispose]();
    expect(counts.get('summarise', 'completed')).toBe(2);
    expect(counts.get('compare', 'agent_failed')).toBe(1);
    expect(counts.running).toBe(0);
  });
});

describe('hooks are found', () => {
  it('once, also when two modules provide the class or a factory makes it', async () => {
    const story: string[] = [];
    const shared = hook('Shared', story);
    const made = hook('Made', story);
    const factory = { provide: 'MADE', useFactory: () => new made() };
    await using host = await HookHost.bootModules(
      teamModule(shared, factory),
      teamModule(shared, { provide: 'ALIAS', useExisting: shared }),
    );
    await using session = await host.chain.begin(contextOf('alice'), FACTS);
    await session[Symbol.asyncDispose]();
    expect(story).toEqual(['Made.beforeRun', 'Shared.beforeRun', 'Shared.dispose', 'Made.dispose']);
  });

  it.each([Scope.REQUEST, Scope.TRANSIENT])(
    'and refused at boot when users would not share them (%s)',
    async (scope) => {
      const scoped = hook('Scoped', []);
      Injectable({ scope })(scoped);
      await expect(HookHost.boot(scoped)).rejects.toMatchObject({
        code: 'invalid_config',
        message: expect.stringMatching(
          /^Scoped \(in TeamModule\): it, or something that it injects, is not a singleton/,
        ),
      });
    },
  );

  it('and refused at boot when they do nothing, or are declared with what does not exist', async () => {
    class Idle {}
    ExecutionHook()(Idle);
    class Misspelt {
      dispose() {}
    }
    ExecutionHook({ ordr: 1 } as never)(Misspelt);
    const boot = HookHost.boot(Idle, Misspelt);
    await expect(boot).rejects.toThrow(/Idle \(in TeamModule\): it has none of the methods beforeRun/);
    await expect(boot).rejects.toThrow(/Misspelt \(in TeamModule\): .*ordr/);
  });
});

/** Lets everything else happen until the condition holds. */
async function waitFor(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
