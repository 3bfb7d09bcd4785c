import type { AgentRun, Ask, SpawnOptions, StepCall, StepOptions, ToolCall } from '../../src/agents/agent-run.js';
import type { CleanUp } from '../../src/context/execution-scope.js';
import type { ApprovalAnswer } from '../../src/events/approval-record.js';
import { UserExecutionContext } from '../../src/context/user-execution-context.js';
import { newId, type UserId } from '../../src/shared/ids.js';
import type { JsonObject, JsonValue } from '../../src/shared/json.js';

/** A run that keeps what the agent emits. */
export class RecordingRun implements AgentRun {
  readonly thoughts: { thought: string; step?: number; progress?: number }[] = [];
  readonly deltas: string[] = [];
  readonly toolCalls: string[] = [];
  readonly usage: Record<string, number> = {};
  readonly cleanUps: CleanUp[] = [];
  readonly deadline = new Date(8.64e15);
  readonly tools: AgentRun['tools'] = {
    list: () => Promise.resolve([]),
    call: () => Promise.reject(new Error('this run has no tools')),
  };

  constructor(
    readonly context: UserExecutionContext,
    /** Called after each emission, e.g. to cancel the run at exactly that point. */
    private readonly emitted: (run: RecordingRun) => void = () => undefined,
  ) {}

  get signal(): AbortSignal {
    return this.context.signal;
  }

  thinking(thought: string, facts: { step?: number; progress?: number } = {}): Promise<void> {
    this.thoughts.push({ thought, ...facts });
    this.emitted(this);
    return Promise.resolve();
  }

  delta(text: string): Promise<void> {
    this.deltas.push(text);
    this.emitted(this);
    return Promise.resolve();
  }

  progress(progress: number, message = ''): Promise<void> {
    return this.thinking(message, { progress });
  }

  tool<Result>(tool: string, _args: JsonObject, call: (call: ToolCall) => Promise<Result>): Promise<Result> {
    this.toolCalls.push(tool);
    return call({
      callId: newId('call'),
      signal: this.signal,
      progress: (progress, message) => this.progress(progress, message),
    });
  }

  async step<Result extends JsonValue | void>(
    _name: string,
    work: (call: StepCall) => Promise<Result> | Result,
    _options?: StepOptions,
  ): Promise<Result> {
    return work({ attempt: 1, idempotencyKey: 'key', signal: this.signal });
  }

  spawn<Result extends JsonValue = JsonValue>(
    _agent: string,
    _input: unknown,
    _options?: SpawnOptions,
  ): Promise<Result> {
    return Promise.reject(new Error('this run has no other agents'));
  }

  sleep(_ms: number): Promise<void> {
    return Promise.resolve();
  }

  ask(_question: Ask): Promise<ApprovalAnswer> {
    return Promise.reject(new Error('nobody answers this run'));
  }

  onDispose(cleanUp: CleanUp): void {
    this.cleanUps.push(cleanUp);
  }

  use(usage: Readonly<Record<string, number>>): void {
    Object.assign(this.usage, usage);
  }
}

/** The context of a user's run. */
export function contextOf(userId: string, signal?: AbortSignal): UserExecutionContext {
  return new UserExecutionContext({
    userId: userId as UserId,
    requestId: newId('req'),
    runId: newId('run'),
    threadId: newId('thr'),
    createdAtMs: 0,
    signal,
  });
}
