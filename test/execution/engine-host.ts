import { Module, type Type } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { z } from 'zod';
import { Agent } from '../../src/agents/agent.decorator.js';
import type { AgentOptions } from '../../src/agents/agent-provider.js';
import type { AgentRun } from '../../src/agents/agent-run.js';
import { AgentsModule } from '../../src/agents/agents.module.js';
import { CARREL_CONFIG } from '../../src/config/config.js';
import { loadConfig } from '../../src/config/load-config.js';
import { ContextModule } from '../../src/context/context.module.js';
import { UserExecutionContext } from '../../src/context/user-execution-context.js';
import type { EventJournal } from '../../src/events/event-journal.port.js';
import { RunEmitter } from '../../src/events/run-emitter.js';
import type { StepRecord } from '../../src/events/step-record.js';
import { CircuitBreakers } from '../../src/execution/circuit-breakers.js';
import { EngineServices } from '../../src/execution/engine-services.js';
import { HooksModule } from '../../src/execution/hooks/hooks.module.js';
import { Switchboard } from '../../src/execution/operations/switchboard.js';
import { ExecutionEngineFactory } from '../../src/execution/execution-engine.factory.js';
import type { UserExecutionEngine } from '../../src/execution/user-execution-engine.js';
import { ToolsModule } from '../../src/execution/tools/tools.module.js';
import { CLOCK } from '../../src/shared/clock.js';
import { newId, type RunId, type UserId } from '../../src/shared/ids.js';
import { HeldClock } from '../contracts/storage-world.js';
import { ScriptedJournal } from '../events/scripted-journal.js';

const ENGINE_ENV = {
  CARREL_CANCEL_GRACE_MS: '5000',
  CARREL_ATTEMPT_TIMEOUT_MS: '30000',
  CARREL_NO_PROGRESS_MS: '60000',
  CARREL_RETRY_ATTEMPTS: '3',
  CARREL_RETRY_BASE_MS: '2000',
};

/** An engine with what its run has written. */
export interface EngineUnderTest {
  engine: UserExecutionEngine;
  emitter: RunEmitter;
  journal: ScriptedJournal;
  lost: unknown[];
}

interface EngineOptions {
  deadlineMs?: number;
  attempt?: number;
  runId?: RunId;
  recorded?: readonly StepRecord[];
}

/** The real factory in a small Nest application, in a time that the test moves. */
export class EngineHost implements AsyncDisposable {
  readonly clock = new HeldClock();

  private constructor(private readonly app: TestingModule) {}

  static boot(...providers: Type[]): Promise<EngineHost> {
    return EngineHost.bootWith([], ...providers);
  }

  static async bootWith(modules: readonly Type[], ...providers: Type[]): Promise<EngineHost> {
    const host = new EngineHost(undefined as never);
    const app = await Test.createTestingModule({
      imports: [ContextModule, AgentsModule, HooksModule, ToolsModule, PlatformModule.with(host.clock), ...modules],
      providers: [CircuitBreakers, EngineServices, ExecutionEngineFactory, Switchboard, ...providers],
    }).compile();
    app.useLogger(false); // the errors that it would log are the tests' own
    return Object.assign(host, { app: await app.init() });
  }

  get factory(): ExecutionEngineFactory {
    return this.app.get(ExecutionEngineFactory);
  }

  /** An engine for a new run of this user, or for one that goes on. `deadlineMs` counts from now. */
  engineFor(userId: string, options: EngineOptions = {}): EngineUnderTest {
    const { deadlineMs = 300_000, attempt = 1, recorded = [], runId = newId('run') } = options;
    const journal = new ScriptedJournal();
    const context = new UserExecutionContext({
      userId: userId as UserId,
      requestId: newId('req'),
      runId,
      threadId: newId('thr'),
      attempt,
      createdAtMs: this.clock.now(),
      deadlineMs: this.clock.now() + deadlineMs,
    });
    const lost: unknown[] = [];
    const target = { userId: context.userId, runId, fence: 1 };
    const emitter: RunEmitter = new RunEmitter(
      target,
      journal as unknown as EventJournal,
      this.clock,
      32_768,
      (error) => {
        lost.push(error);
        engine.stop({ kind: 'lost', error });
      },
    );
    const engine = this.factory.createUserEngine(context, emitter, recorded);
    return { engine, emitter, journal, lost };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.app.close();
  }
}

@Module({})
class PlatformModule {
  static with(clock: HeldClock) {
    const providers = [
      { provide: CARREL_CONFIG, useValue: loadConfig(ENGINE_ENV) },
      { provide: CLOCK, useValue: clock },
    ];
    return { module: PlatformModule, global: true, providers, exports: [CARREL_CONFIG, CLOCK] };
  }
}

type Script = (run: AgentRun, input: Record<string, unknown>) => unknown;

/** An agent that does what the script says. */
export function scripted(name: string, script: Script, options: Partial<AgentOptions> = {}): Type {
  class ScriptedAgent {
    run(input: Record<string, unknown>, run: AgentRun): unknown {
      return script(run, input);
    }
  }
  Agent({ name, description: name, input: z.any(), ...options })(ScriptedAgent as never);
  return ScriptedAgent;
}

/** The types of the events that a run has written, and of those that would go with its end. */
export function typesOf(story: readonly { type: string }[]): string[] {
  return story.map(({ type }) => type);
}

/** Lets everything happen that waits for no time to pass. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** Rejects when the run is told to stop, as what listens to the signal would. */
export function untilAborted({ signal }: AgentRun): Promise<never> {
  return new Promise((_, reject) => {
    const stop = () => reject(signal.reason as Error);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop);
  });
}

/** Holds up whoever passes, until the test opens it. */
export class Gate {
  private readonly arrival = Promise.withResolvers<void>();
  private readonly opening = Promise.withResolvers<void>();
  /** Resolves when somebody has arrived. */
  readonly reached = this.arrival.promise;
  readonly open = this.opening.resolve;

  pass(): Promise<void> {
    this.arrival.resolve();
    return this.opening.promise;
  }
}
