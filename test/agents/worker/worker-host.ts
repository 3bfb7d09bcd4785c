import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Ask, SpawnOptions, StepCall, StepOptions } from '../../../src/agents/agent-run.js';
import type { UsableTool } from '../../../src/agents/tools/tool-definition.js';
import type { ApprovalAnswer } from '../../../src/events/approval-record.js';
import { CarrelError } from '../../../src/shared/errors.js';
import type { JsonValue } from '../../../src/shared/json.js';
import { contextOf, RecordingRun } from '../recording-run.js';

/** The built one: a worker thread loads what is built, whoever starts it. */
const { WorkerAgents } = (await import(
  resolve('dist/agents/worker/worker-agents.service.js')
)) as typeof import('../../../src/agents/worker/worker-agents.service.js');

const FIXTURE = pathToFileURL(resolve('test/fixtures/worker-agents.module.mjs')).href;

export interface HostedAttempt {
  run: AttemptedRun;
  result: Promise<unknown>;
  /** What the scope of an attempt does at its end. */
  dispose: () => Promise<unknown[]>;
  abort: (reason?: unknown) => void;
}

const LOOK: UsableTool = {
  server: 'app',
  tool: 'look',
  description: 'Looks at it',
  inputSchema: { type: 'object' },
  effect: 'read',
  destructive: false,
  openWorld: false,
  needsApproval: false,
};

/** The real host of worker agents, and attempts of the fixture's agents in it. */
export class WorkerHost {
  readonly workers = new WorkerAgents();

  attempt(name: string, input: unknown = {}, { userId = 'alice', memoryMb = 64 } = {}): HostedAttempt {
    const controller = new AbortController();
    const run = new AttemptedRun(userId, controller.signal);
    const agent = { name, worker: { moduleUrl: FIXTURE, memoryMb } };
    const result = this.workers.call(agent, input, run);
    result.catch(() => undefined);
    return { run, result, dispose: () => run.dispose(), abort: (reason) => controller.abort(reason) };
  }

  /** One whole attempt. */
  async carryOut(name: string, input?: unknown, options?: { userId?: string; memoryMb?: number }): Promise<unknown> {
    const { result, dispose } = this.attempt(name, input, options);
    try {
      return await result;
    } finally {
      await dispose();
    }
  }
}

/** A run that keeps what it is told, and does what the engine would with steps, children and questions. */
class AttemptedRun extends RecordingRun {
  readonly told: unknown[] = [];
  readonly refusal = new CarrelError('unknown_agent', 'there is no such agent');
  private readonly watchers = new Set<() => void>();

  constructor(userId: string, signal: AbortSignal) {
    super(contextOf(userId, signal), () => this.look());
  }

  override readonly tools: RecordingRun['tools'] = {
    list: () => Promise.resolve([LOOK]),
    call: (...asked) => {
      this.told.push(asked);
      return asked[1] === LOOK.tool
        ? Promise.resolve({ text: `looked for ${this.context.userId}`, content: [] })
        : Promise.reject(new CarrelError('unknown_tool', 'no such tool', { details: { near: [LOOK.tool] } }));
    },
  };

  override async step<Result extends JsonValue | void>(
    name: string,
    work: (call: StepCall) => Promise<Result> | Result,
    { timeoutMs, ...options }: StepOptions = {},
  ): Promise<Result> {
    this.told.push({ step: name, ...options });
    const controller = new AbortController();
    const over = new CarrelError('step_timed_out', 'the step took too long');
    if (timeoutMs !== undefined) setTimeout(() => controller.abort(over), timeoutMs);
    return work({ attempt: 1, idempotencyKey: `key-of-${name}`, signal: controller.signal });
  }

  override spawn<Result extends JsonValue = JsonValue>(
    agent: string,
    input: unknown,
    options?: SpawnOptions,
  ): Promise<Result> {
    this.told.push({ spawn: agent, input, ...options });
    return agent === 'refusing'
      ? Promise.reject(this.refusal)
      : Promise.resolve({ answer: agent } as unknown as Result);
  }

  override sleep(ms: number): Promise<void> {
    this.told.push({ sleep: ms });
    return Promise.resolve();
  }

  override ask(question: Ask): Promise<ApprovalAnswer> {
    this.told.push(question);
    return Promise.resolve({ decision: 'approved' } as unknown as ApprovalAnswer);
  }

  /** Resolves when the agent has emitted this thought. */
  thought(thought: string): Promise<void> {
    return new Promise((done) => {
      const look = () => {
        if (!this.thoughts.some((one) => one.thought === thought)) return;
        this.watchers.delete(look);
        done();
      };
      this.watchers.add(look);
      look();
    });
  }

  async dispose(): Promise<unknown[]> {
    const errors: unknown[] = [];
    for (let next = this.cleanUps.pop(); next; next = this.cleanUps.pop()) {
      try {
        await next();
      } catch (error) {
        errors.push(error);
      }
    }
    return errors;
  }

  private look(): void {
    for (const look of this.watchers ?? []) look();
  }
}
