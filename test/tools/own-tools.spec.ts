import { Injectable, Module, Scope, UseFilters, UseGuards, UseInterceptors, UsePipes } from '@nestjs/common';
import type { ArgumentsHost, CallHandler, ExecutionContext, Type } from '@nestjs/common';
import { Catch } from '@nestjs/common';
import { map } from 'rxjs';
import { z } from 'zod';
import { switchToAgent } from '../../src/agents/agent-execution-context.js';
import { AgentTool, type AgentToolOptions } from '../../src/agents/tools/agent-tool.decorator.js';
import { CircuitBreakers } from '../../src/execution/circuit-breakers.js';
import { CarrelError } from '../../src/shared/errors.js';
import { EngineHost, scripted } from '../execution/engine-host.js';

const FINE: AgentToolOptions = { name: 'fine', description: 'Is fine', input: z.looseObject({}) };

/** A class of that name with one tool. */
function classWith(name: string, options: unknown): Type {
  const made = {
    [name]: class {
      work(): string {
        return name;
      }
    },
  }[name]!;
  AgentTool(options as AgentToolOptions)(made.prototype, 'work');
  Injectable()(made);
  return made;
}

async function problemsOf(...providers: Type[]): Promise<string> {
  const error = await EngineHost.boot(...providers).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(CarrelError);
  expect(error).toMatchObject({ code: 'invalid_agent' });
  return (error as CarrelError).message;
}

describe('tools that are declared wrongly', () => {
  it.each([
    ['a name that models do not take', { ...FINE, name: 'pay.now' }, 'name: must be letters'],
    ['no description', { ...FINE, description: ' ' }, 'description: must say in a sentence'],
    ['no input', { ...FINE, input: undefined }, 'its input is missing; give @AgentTool an "input"'],
    ['an input that is none', { ...FINE, input: 'text' }, 'its input is neither a class-validator DTO class'],
    ['an output that is none', { ...FINE, output: 7 }, 'its output is neither'],
    ['a misspelt option', { ...FINE, needApproval: true }, 'needApproval'],
    ['an effect that is none', { ...FINE, effect: 'write' }, 'effect: must be "read", "idempotent" or "once"'],
  ])('stop the boot, with class, method and what to do: %s', async (_case, options, problem) => {
    const message = await problemsOf(classWith('Till', options));
    expect(message).toMatch(/^Till\.work \(in \w+\): /);
    expect(message).toContain(problem);
  });

  it('stop the boot when two have one name, or would share a user’s instance', async () => {
    expect(await problemsOf(classWith('Till', FINE), classWith('Desk', FINE))).toMatch(
      /^Desk\.work \(in \w+\): its name "fine" is taken by Till\.work \(in \w+\); rename one of them$/,
    );
    const durable = classWith('Lasting', FINE);
    Injectable({ scope: Scope.REQUEST, durable: true })(durable);
    expect(await problemsOf(durable)).toContain('its class is durable');
  });

  it('are all named at once', async () => {
    const message = await problemsOf(
      classWith('Till', { ...FINE, name: '' }),
      classWith('Desk', { ...FINE, input: undefined }),
    );
    expect(message.split('\n')).toEqual([expect.stringContaining('Till.work'), expect.stringContaining('Desk.work')]);
  });
});

describe('where tools are found', () => {
  it('is any provider: of a class, by another token, made by a factory, with what it inherits', async () => {
    class Base {
      @AgentTool({ ...FINE, name: 'inherited' })
      inherited() {
        return this.constructor.name;
      }
    }
    @Injectable()
    class ByClass extends Base {}
    class ByFactory {
      @AgentTool({ ...FINE, name: 'made' })
      made() {
        return 'by a factory';
      }
    }
    class ByToken {
      @AgentTool({ ...FINE, name: 'token' })
      token() {
        return 'by a token';
      }
    }
    @Module({
      providers: [
        ByClass,
        { provide: 'alias', useExisting: ByClass },
        { provide: 'token', useClass: ByToken },
        { provide: 'factory', useFactory: () => new ByFactory() },
      ],
    })
    class TeamModule {}
    const agent = scripted('calls', async (run) => {
      const names = (await run.tools.list()).map(({ tool }) => tool);
      const said = [];
      for (const name of names) said.push((await run.tools.call('app', name)).text);
      return { names, said } as never;
    });
    await using host = await EngineHost.bootWith([TeamModule], agent);
    const { engine } = host.engineFor('alice');
    expect(await engine.executeAgent('calls', {})).toMatchObject({
      result: { names: ['inherited', 'made', 'token'], said: ['ByClass', 'by a factory', 'by a token'] },
    });
  });

  it('leaves a singleton alone when a run that called it has ended', async () => {
    let disposed = 0;
    @Injectable()
    class Shared {
      [Symbol.dispose](): void {
        disposed++;
      }
      @AgentTool(FINE)
      work() {
        return 'fine';
      }
    }
    @Injectable({ scope: Scope.REQUEST })
    class Own extends Shared {
      @AgentTool({ ...FINE, name: 'own' })
      override work() {
        return 'own';
      }
    }
    const agent = scripted('calls', async (run, { tool }) => (await run.tools.call('app', tool as string)).text);
    await using host = await EngineHost.boot(Shared, Own, agent);
    expect(await host.engineFor('alice').engine.executeAgent('calls', { tool: 'fine' })).toMatchObject({
      result: 'fine',
    });
    expect(disposed).toBe(0);
    expect(await host.engineFor('bob').engine.executeAgent('calls', { tool: 'own' })).toMatchObject({ result: 'own' });
    expect(disposed).toBe(1);
    expect(host.factory.report().liveContexts).toBe(0);
  });
});

describe('guards, interceptors, pipes and filters', () => {
  it('are applied to a tool as they are to an agent', async () => {
    const seen: unknown[] = [];
    @Injectable()
    class Guard {
      constructor(readonly injected: CircuitBreakers) {}
      canActivate(host: ExecutionContext): boolean {
        const { context, toolCall, input } = switchToAgent<{ text: string }>(host);
        seen.push([
          host.getType(),
          context.userId,
          toolCall!.agent,
          host.getHandler().name,
          this.injected !== undefined,
        ]);
        return input.text !== 'forbidden';
      }
    }
    @Injectable()
    class Louder {
      intercept(_host: ExecutionContext, next: CallHandler<string>) {
        return next.handle().pipe(map((text) => `${text}!`));
      }
    }
    @Injectable()
    class Trimmed {
      transform({ text }: { text: string }) {
        return { text: text.trim() };
      }
    }
    class Odd extends Error {}
    @Catch(Odd)
    class Forgiving {
      catch(error: Odd, host: ArgumentsHost) {
        return `forgiven for ${switchToAgent(host).context.userId}: ${error.message}`;
      }
    }
    @Injectable()
    @UseGuards(Guard)
    class Enhanced {
      @UseInterceptors(Louder)
      @UsePipes(Trimmed)
      @UseFilters(Forgiving)
      @AgentTool({ name: 'say', description: 'Says it', input: z.strictObject({ text: z.string() }) })
      say({ text }: { text: string }) {
        if (text === 'odd') throw new Odd(text);
        return text;
      }
    }
    const agent = scripted(
      'says',
      async (run, { text }) => (await run.tools.call('app', 'say', { text: text as string })).text,
    );
    await using host = await EngineHost.boot(Enhanced, Guard, Louder, Trimmed, Forgiving, agent);
    const said = (text: string) => host.engineFor('alice').engine.executeAgent('says', { text });
    expect(await said('  hello ')).toMatchObject({ status: 'completed', result: 'hello!' });
    expect(await said('odd')).toMatchObject({ result: 'forgiven for alice: odd' });
    expect(await said('forbidden')).toMatchObject({ status: 'failed', error: { code: 'tool_denied' } });
    expect(seen[0]).toEqual(['agent', 'alice', 'says', 'say', true]);
  });
});
