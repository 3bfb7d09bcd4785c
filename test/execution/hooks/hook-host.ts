import { type DynamicModule, Global, Module, type Type } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import type { AgentExecutionResult } from '../../../src/execution/agent-execution-result.js';
import {
  ExecutionHook,
  type ExecutionHookOptions,
  type RunFacts,
} from '../../../src/execution/hooks/execution-hook.js';
import { HookChain } from '../../../src/execution/hooks/hook-chain.service.js';
import { HooksModule } from '../../../src/execution/hooks/hooks.module.js';
import { CLOCK } from '../../../src/shared/clock.js';
import { contextOf } from '../../agents/recording-run.js';
import { HeldClock } from '../../contracts/storage-world.js';

/** The real chain in a small Nest application, in a time that the test moves. */
export class HookHost implements AsyncDisposable {
  /** What the application has logged as an error: the messages. */
  readonly logged: string[] = [];

  private constructor(
    private readonly app: TestingModule,
    readonly clock: HeldClock,
  ) {}

  static boot(...providers: unknown[]): Promise<HookHost> {
    return HookHost.bootModules(teamModule(...providers));
  }

  static async bootModules(...modules: Type[]): Promise<HookHost> {
    const clock = new HeldClock();
    const app = await Test.createTestingModule({
      imports: [HooksModule, TimeModule.with(clock), ...modules],
    }).compile();
    const host = new HookHost(app, clock);
    const quiet = () => undefined;
    app.useLogger({ log: quiet, warn: quiet, error: (_facts: unknown, message: string) => host.logged.push(message) });
    await app.init();
    return host;
  }

  get chain(): HookChain {
    return this.app.get(HookChain);
  }

  get<Instance>(type: Type<Instance>): Instance {
    return this.app.get(type, { strict: false });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.app.close();
  }
}

export function teamModule(...providers: unknown[]): Type {
  @Module({ providers: providers as Type[] })
  class TeamModule {}
  return TeamModule;
}

@Global()
@Module({})
class TimeModule {
  static with(clock: HeldClock): DynamicModule {
    return { module: TimeModule, providers: [{ provide: CLOCK, useValue: clock }], exports: [CLOCK] };
  }
}

type Listener = Partial<Record<'beforeRun' | 'afterRun' | 'onError' | 'dispose', (...args: never[]) => unknown>>;

/** A hook class that tells the story of its calls, and then does what `does` says. */
export function hook(name: string, story: string[], does: Listener = {}, options?: ExecutionHookOptions): Type {
  const told =
    (method: keyof Listener) =>
    (...args: never[]): unknown => {
      story.push(`${name}.${method}`);
      return does[method]?.(...args);
    };
  class Hook {
    beforeRun = told('beforeRun');
    afterRun = told('afterRun');
    onError = told('onError');
    dispose = told('dispose');
  }
  Object.defineProperty(Hook, 'name', { value: name });
  return ExecutionHook(options)(Hook as never);
}

export const FACTS: RunFacts = { kind: 'agent', name: 'summarise', input: { text: 'a text' }, attempt: 1 };

export function completed(userId = 'alice'): AgentExecutionResult {
  return { context: contextOf(userId), attempt: 1, status: 'completed', result: { lines: ['one'] } };
}
