import { Inject, Injectable, Module, Scope, type Type } from '@nestjs/common';
import { z } from 'zod';
import { Agent } from '../../src/agents/agent.decorator.js';
import type { AgentClass, AgentOptions } from '../../src/agents/agent-provider.js';
import { UserExecutionContext } from '../../src/context/user-execution-context.js';
import { CarrelError } from '../../src/shared/errors.js';
import { AgentHost } from './agent-host.js';
import { contextOf, RecordingRun } from './recording-run.js';

const OPTIONS: AgentOptions = {
  name: 'echo',
  description: 'Says what it is told',
  input: z.strictObject({ text: z.string() }),
};

function agentClass(options: object = {}): AgentClass {
  @Agent({ ...OPTIONS, ...options })
  class EchoAgent {
    run(input: unknown): unknown {
      return input;
    }
  }
  return EchoAgent;
}

function moduleOf(...providers: unknown[]): Type {
  @Module({ providers: providers as Type[] })
  class TeamModule {}
  return TeamModule;
}

async function refusal(...providers: unknown[]): Promise<string> {
  const boot = AgentHost.boot(moduleOf(...providers));
  const error = await boot.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(CarrelError);
  expect(error).toMatchObject({ code: 'invalid_agent' });
  return (error as CarrelError).message;
}

describe('the registry', () => {
  it('finds agents in a module that does not know of it', async () => {
    await using host = await AgentHost.boot(moduleOf(agentClass(), agentClass({ name: 'echo.two' })));
    expect(host.registry.list().map(({ name }) => name)).toEqual(['echo', 'echo.two']);
    expect(host.registry.get('echo')).toMatchObject({ name: 'echo', description: OPTIONS.description, effect: 'once' });
  });

  it('fills in what a breaker leaves open', async () => {
    const fallback = { value: { text: 'nothing' } };
    await using host = await AgentHost.boot(moduleOf(agentClass({ breaker: { failures: 2 }, fallback })));
    expect(host.registry.get('echo')).toMatchObject({ breaker: { failures: 2, resetMs: 60_000 }, fallback });
  });

  it('counts a class that two modules provide once', async () => {
    const shared = agentClass();
    await using host = await AgentHost.boot(moduleOf(shared), moduleOf(shared));
    expect(host.registry.list()).toHaveLength(1);
    expect(await host.run('echo', { text: 'hello' }, new RecordingRun(contextOf('alice')))).toEqual({ text: 'hello' });
  });

  it('does not find a decorated class that no module provides, nor an undecorated heir', async () => {
    class Heir extends (agentClass() as unknown as Type) {}
    await using host = await AgentHost.boot(moduleOf(Heir));
    expect(host.registry.list()).toEqual([]);
  });

  it('gives definitions that nobody can change', async () => {
    await using host = await AgentHost.boot(moduleOf(agentClass({ example: { text: 'hi' }, retry: { attempts: 2 } })));
    const definition = host.registry.get('echo');
    for (const part of [
      definition,
      definition.inputSchema,
      definition.inputSchema.properties,
      definition.example,
      definition.retry,
    ]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
    (host.registry.list() as unknown[]).length = 0;
    expect(host.registry.list()).toHaveLength(1);
  });

  it('suggests names that are like an unknown one', async () => {
    await using host = await AgentHost.boot(
      moduleOf(agentClass({ name: 'summarise' }), agentClass({ name: 'compare' })),
    );
    expect(() => host.registry.get('sumarize')).toThrow(
      expect.objectContaining({
        code: 'unknown_agent',
        message: 'There is no agent "sumarize". Did you mean "summarise"?',
      }),
    );
    expect(() => host.registry.get('compareTexts'.slice(0, 4))).toThrow('"compare"');
    expect(() => host.registry.get('weather')).toThrow(expect.objectContaining({ details: { near: [] } }));
    expect(() => host.registry.get('constructor')).toThrow('There is no agent');
    const long = 'x'.repeat(100_000);
    expect(() => host.registry.get(long)).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining(long) }),
    );
  });

  it('runs plain JavaScript classes that were decorated by a call', async () => {
    const Plain = Agent({ ...OPTIONS, name: 'plain' })(
      class Plain {
        run(input: { text: string }) {
          return { shout: input.text.toUpperCase() };
        }
      },
    );
    await using host = await AgentHost.boot(moduleOf(Plain));
    expect(await host.run('plain', { text: 'hi' }, new RecordingRun(contextOf('alice')))).toEqual({ shout: 'HI' });
  });
});

describe('the boot is refused, naming class, module and fix, for', () => {
  it('two agents of one name', async () => {
    @Agent(OPTIONS)
    class Other {
      run() {
        return 1;
      }
    }
    const message = await refusal(agentClass(), Other);
    expect(message).toBe(
      'Other (in TeamModule): its name "echo" is taken by EchoAgent (in TeamModule); rename one of them',
    );
  });

  it.each([
    ['no name', { name: undefined }, 'name: must be a text'],
    ['an empty name', { name: '' }, 'name: must be letters, digits'],
    ['a name with a slash', { name: 'a/b' }, 'name: must be letters, digits'],
    ['a name of dots', { name: '..' }, 'name: must be letters, digits'],
    ['a long name', { name: 'a'.repeat(65) }, 'at most 64 characters'],
    ['no description', { description: undefined }, 'description: must be a text'],
    ['an empty description', { description: '  ' }, 'description: must say in a sentence'],
    ['no input', { input: undefined }, 'its input is missing'],
    [
      'an input that is no schema',
      { input: { type: 'object' } },
      'its input is neither a class-validator DTO class nor a Standard Schema',
    ],
    [
      'a DTO class without decorators',
      { input: class Bare {} },
      'its input is the class Bare, which has no class-validator decorators',
    ],
    ['a time limit that is none', { timeoutMs: -1 }, 'timeoutMs:'],
    ['no attempts', { retry: { attempts: 0 } }, 'retry.attempts:'],
    ['an unknown effect', { effect: 'twice' }, 'effect:'],
    ['a misspelt option', { timeoutMS: 5 }, 'timeoutMS'],
    ['an example that is not JSON', { example: { text: () => 1 } }, 'example: must be plain JSON'],
    [
      'a fallback that is none',
      { fallback: 'other' },
      'fallback: must be { agent: "its name" } or { value: plain JSON }',
    ],
    ['a fallback without a value', { fallback: { value: undefined } }, 'fallback.value: must be plain JSON'],
    ['a fallback that is not JSON', { fallback: { value: 1n } }, 'fallback.value: must be plain JSON'],
    ['a fallback that does not exist', { fallback: { agent: 'other' } }, 'its fallback "other" is no agent'],
    ['itself as its fallback', { fallback: { agent: 'echo' } }, 'in a circle: echo → echo'],
    ['a breaker that opens at once', { breaker: { failures: 0 } }, 'breaker.failures:'],
    ['an isolation that does not exist', { isolate: 'process' }, 'isolate: must be "worker"'],
    ['a worker that can not find it', { isolate: 'worker' }, 'moduleUrl: is missing'],
    ['a worker that is to load it from afar', { isolate: 'worker', moduleUrl: 'https://example.com' }, 'of a file'],
    ['a memory limit without a worker', { memoryMb: 64 }, 'memoryMb: is only for'],
  ])('%s', async (_what, options, expected) => {
    const message = await refusal(agentClass(options));
    expect(message).toMatch(/^EchoAgent \(in TeamModule\): /);
    expect(message).toContain(expected);
  });

  it('an example that the agent itself would refuse', async () => {
    expect(await refusal(agentClass({ example: { text: 5 } }))).toMatch(
      /^EchoAgent: its example is no valid input.*text: /,
    );
  });

  it('a class without the method "run"', async () => {
    class NoRun {}
    const message = await refusal(Agent(OPTIONS)(NoRun as unknown as AgentClass));
    expect(message).toMatch(/^NoRun \(in TeamModule\): it has no method "run"; write/);
  });

  it('a scope that users would share', async () => {
    const singleton = agentClass();
    Injectable()(singleton);
    const durable = agentClass();
    Injectable({ scope: Scope.REQUEST, durable: true })(durable);
    for (const shared of [singleton, durable]) expect(await refusal(shared)).toContain('it is not request-scoped');
  });

  it('a class that is provided under another token only', async () => {
    expect(await refusal({ provide: 'ECHO', useClass: agentClass() })).toContain(
      'it is provided as "ECHO"; list the class itself',
    );
  });

  it('constructor parameters of which nothing says what to inject', async () => {
    class Plain {
      constructor(readonly clock: unknown) {}
      run() {
        return 1;
      }
    }
    expect(await refusal(Agent(OPTIONS)(Plain))).toContain('its constructor has 1 parameter(s)');
    Inject('CLOCK')(Plain, undefined, 0);
    await using host = await AgentHost.boot(moduleOf(Plain, { provide: 'CLOCK', useValue: 7 }));
    expect(host.registry.list()).toHaveLength(1);
  });

  it('fallbacks that never come to an end', async () => {
    const message = await refusal(
      agentClass({ name: 'a', fallback: { agent: 'b' } }),
      agentClass({ name: 'b', fallback: { agent: 'a' } }),
    );
    expect(message).toContain('its fallbacks go round in a circle: a → b → a');
  });

  it('injections that a worker can not give', async () => {
    class Clock {}
    @Agent({ ...OPTIONS, isolate: 'worker', moduleUrl: import.meta.url })
    class Wanting {
      @Inject('SECOND') readonly second: unknown;
      constructor(
        readonly context: UserExecutionContext,
        readonly clock: Clock,
      ) {}
      run() {
        return 1;
      }
    }
    const message = await refusal(Wanting, Clock, { provide: 'SECOND', useValue: 2 });
    expect(message).toContain('it wants Clock to be injected');
    expect(message).toContain('it wants SECOND to be injected');
    expect(message).not.toContain('wants UserExecutionContext');
  });

  it('everything that is wrong with all of them at once', async () => {
    const message = await refusal(agentClass({ name: '?' }), agentClass({ description: '' }));
    expect(message.split('\n')).toHaveLength(2);
  });
});
