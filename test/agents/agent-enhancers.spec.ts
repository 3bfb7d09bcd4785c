import {
  type ArgumentMetadata,
  type ArgumentsHost,
  type CallHandler,
  type CanActivate,
  Catch,
  type ExceptionFilter,
  type ExecutionContext,
  ForbiddenException,
  Injectable,
  Module,
  type NestInterceptor,
  type PipeTransform,
  Scope,
  SetMetadata,
  UseFilters,
  UseGuards,
  UseInterceptors,
  UsePipes,
} from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR, APP_PIPE, Reflector } from '@nestjs/core';
import { catchError, map, type Observable, of } from 'rxjs';
import { z } from 'zod';
import { switchToAgent } from '../../src/agents/agent-execution-context.js';
import { Agent } from '../../src/agents/agent.decorator.js';
import type { AgentOptions } from '../../src/agents/agent-provider.js';
import type { AgentRun } from '../../src/agents/agent-run.js';
import { UserExecutionContext } from '../../src/context/user-execution-context.js';
import { AgentHost } from './agent-host.js';
import { contextOf, RecordingRun } from './recording-run.js';

interface Note {
  text: string;
}

const OPTIONS: AgentOptions = {
  name: 'note',
  description: 'Repeats a note',
  input: z.strictObject({ text: z.string() }),
};

@Injectable()
class OnlyPolite implements CanActivate {
  canActivate(execution: ExecutionContext): boolean {
    return switchToAgent<Note>(execution).input.text.includes('please');
  }
}

@Injectable()
class Loud implements NestInterceptor {
  intercept(_execution: ExecutionContext, next: CallHandler<Note>): Observable<Note> {
    return next.handle().pipe(map(({ text }) => ({ text: text.toUpperCase() })));
  }
}

@Injectable()
class Trimmed implements PipeTransform<unknown, unknown> {
  transform(value: unknown, metadata: ArgumentMetadata): unknown {
    if (metadata.type !== 'body') throw new Error(`unexpected ${metadata.type}`);
    return { text: (value as Note).text.trim() };
  }
}

class Refused extends Error {}

@Catch(Refused)
class Forgiving implements ExceptionFilter<Refused> {
  catch(error: Refused, host: ArgumentsHost): unknown {
    return { forgiven: error.message, user: switchToAgent(host).context.userId };
  }
}

function boot(...providers: NonNullable<Parameters<typeof Module>[0]['providers']>): Promise<AgentHost> {
  @Module({ providers })
  class TeamModule {}
  return AgentHost.boot(TeamModule);
}

function runOf(userId: string): RecordingRun {
  return new RecordingRun(contextOf(userId));
}

class Repeats {
  run(input: Note, _run: AgentRun): unknown {
    if (input.text === 'refuse') throw new Refused('refused');
    return input;
  }
}

function never(): never {
  throw new Error('a global enhancer was called for an agent');
}

describe('on an agent', () => {
  it.each([
    ['the class', Agent(OPTIONS)(decorated(UseGuards(OnlyPolite)))],
    ['the method', Agent(OPTIONS)(decoratedMethod(UseGuards(OnlyPolite)))],
  ])('a guard on %s that says no denies the run', async (_where, agentClass) => {
    await using host = await boot(agentClass);
    await expect(host.run('note', { text: 'go' }, runOf('alice'))).rejects.toMatchObject({ code: 'agent_denied' });
    expect(await host.run('note', { text: 'please' }, runOf('alice'))).toEqual({ text: 'please' });
  });

  it('a guard that throws what Nest has for it denies the run too; the same from the agent itself is no denial', async () => {
    const throwing: CanActivate = {
      canActivate: (execution) => {
        if (switchToAgent<Note>(execution).input.text === 'go') throw new ForbiddenException('Only for editors');
        return true;
      },
    };
    @UseGuards(throwing)
    @Agent(OPTIONS)
    class Guarded {
      run(): never {
        throw new ForbiddenException('from inside');
      }
    }
    await using host = await boot(Guarded);
    await expect(host.run('note', { text: 'go' }, runOf('alice'))).rejects.toMatchObject({
      code: 'agent_denied',
      message: 'Only for editors',
    });
    await expect(host.run('note', { text: 'x' }, runOf('alice'))).rejects.toBeInstanceOf(ForbiddenException);
  });

  it('an interceptor can change the result, and answer for what throws', async () => {
    const calming: NestInterceptor = {
      intercept: (_execution, next) => next.handle().pipe(catchError(() => of({ text: 'calm' }))),
    };
    await using host = await boot(Agent(OPTIONS)(decorated(UseInterceptors(Loud, calming))));
    expect(await host.run('note', { text: 'hi' }, runOf('alice'))).toEqual({ text: 'HI' });
    expect(await host.run('note', { text: 'refuse' }, runOf('alice'))).toEqual({ text: 'CALM' });
  });

  it('pipes are given the input and never the run', async () => {
    await using host = await boot(Agent(OPTIONS)(decorated(UsePipes(Trimmed))));
    expect(await host.run('note', { text: ' hi ' }, runOf('alice'))).toEqual({ text: 'hi' });
  });

  it('what a filter returns is the result; what it does not catch goes on', async () => {
    @UseFilters(Forgiving)
    @Agent(OPTIONS)
    class Filtered {
      run(input: Note): never {
        throw input.text === 'refuse' ? new Refused('refused') : new Error('other');
      }
    }
    await using host = await boot(Filtered);
    expect(await host.run('note', { text: 'refuse' }, runOf('alice'))).toEqual({ forgiven: 'refused', user: 'alice' });
    await expect(host.run('note', { text: 'x' }, runOf('alice'))).rejects.toThrow('other');
  });

  it('enhancers know what they are called for', async () => {
    const seen: unknown[] = [];
    const looking: CanActivate = {
      canActivate(execution) {
        seen.push(execution.getType(), execution.getClass(), execution.getArgs());
        seen.push(new Reflector().get('speed', execution.getHandler()), switchToAgent(execution).context.userId);
        return true;
      },
    };
    @UseGuards(looking)
    @Agent(OPTIONS)
    class Marked {
      @SetMetadata('speed', 'slow')
      run(input: Note): unknown {
        return input;
      }
    }
    await using host = await boot(Marked);
    const run = runOf('alice');
    await host.run('note', { text: 'x' }, run);
    expect(seen).toEqual(['agent', Marked, [{ text: 'x' }, run], 'slow', 'alice']);
  });

  it("an application's global enhancers, written for requests, do not apply", async () => {
    await using host = await boot(
      { provide: APP_GUARD, useValue: { canActivate: never } },
      { provide: APP_INTERCEPTOR, useValue: { intercept: never } },
      { provide: APP_PIPE, useValue: { transform: never } },
      Agent({ ...OPTIONS, name: 'bare' })(Repeats),
      OnlyPolite,
      Agent(OPTIONS)(decorated(UseGuards(OnlyPolite))),
    );
    expect(await host.run('bare', { text: 'x' }, runOf('alice'))).toEqual({ text: 'x' });
    expect(await host.run('note', { text: 'please' }, runOf('alice'))).toEqual({ text: 'please' });
  });

  it('a request-scoped guard gets the context of its own run, for alice and bob at once', async () => {
    const gate = Promise.withResolvers<void>();
    const seen: string[] = [];
    @Injectable({ scope: Scope.REQUEST })
    class OwnUser implements CanActivate {
      constructor(private readonly context: UserExecutionContext) {}

      async canActivate(execution: ExecutionContext): Promise<boolean> {
        const { context, input } = switchToAgent<Note>(execution);
        seen.push(input.text);
        if (seen.length === 20) gate.resolve();
        await gate.promise;
        return this.context === context && this.context.userId === input.text;
      }
    }
    @UseGuards(OwnUser)
    @Agent(OPTIONS)
    class Scoped {
      constructor(private readonly context: UserExecutionContext) {}

      run(): unknown {
        return { user: this.context.userId };
      }
    }
    await using host = await boot(Scoped);
    const users = Array.from({ length: 20 }, (_, i) => (i % 2 ? 'alice' : 'bob'));
    const results = await Promise.all(users.map((user) => host.run('note', { text: user }, runOf(user))));
    expect(results).toEqual(users.map((user) => ({ user })));
    expect(new Set(seen)).toEqual(new Set(['alice', 'bob']));
    // and a guard does look: bob's input in alice's run is refused
    await expect(host.run('note', { text: 'bob' }, runOf('alice'))).rejects.toMatchObject({ code: 'agent_denied' });
  });

  it('an interceptor sees what a generating agent returns in the end, after its parts', async () => {
    @UseInterceptors(Loud)
    @Agent(OPTIONS)
    class Generating {
      async *run(input: Note) {
        yield input.text;
        yield ' there';
      }
    }
    await using host = await boot(Generating);
    const run = runOf('alice');
    expect(await host.run('note', { text: 'hi' }, run)).toEqual({ text: 'HI THERE' });
    expect(run.deltas).toEqual(['hi', ' there']);
  });
});

describe('switchToAgent', () => {
  it('refuses a host that is no agent', () => {
    const host = { getType: () => 'http' } as ArgumentsHost;
    expect(() => switchToAgent(host)).toThrow('getType() === "agent"');
  });
});

function decorated(decorate: ClassDecorator) {
  class Decorated extends Repeats {}
  decorate(Decorated);
  return Decorated;
}

function decoratedMethod(decorate: MethodDecorator) {
  class Decorated extends Repeats {
    override run(input: Note, run: AgentRun): unknown {
      return super.run(input, run);
    }
  }
  decorate(
    Decorated.prototype,
    'run',
    Object.getOwnPropertyDescriptor(Decorated.prototype, 'run') as PropertyDescriptor,
  );
  return Decorated;
}
