import type { AgentRun, ToolCall } from '../agents/agent-run.js';
import type { CleanUp, ExecutionScope } from '../context/execution-scope.js';
import type { UserExecutionContext } from '../context/user-execution-context.js';
import { redact } from '../events/redaction.js';
import type { RunEmitter } from '../events/run-emitter.js';
import type { RunEventData, RunEventType } from '../events/run-event.js';
import type { Clock } from '../shared/clock.js';
import { CarrelError } from '../shared/errors.js';
import { newId, type CallId } from '../shared/ids.js';
import type { JsonObject } from '../shared/json.js';

/** The handle that one attempt of an agent works with. It is dead when the attempt is over, even if the run goes on. */
export class AttemptRun implements AgentRun {
  private readonly openCalls = new Map<CallId, number>();
  private usage: Record<string, number> | undefined;
  private over = false;

  constructor(
    private readonly scope: ExecutionScope,
    private readonly emitter: RunEmitter,
    private readonly clock: Clock,
    private readonly onProgress: () => void,
    private readonly deadlineMs: number,
  ) {}

  get context(): UserExecutionContext {
    return this.scope.context;
  }

  get signal(): AbortSignal {
    return this.context.signal;
  }

  get deadline(): Date {
    return new Date(this.deadlineMs);
  }

  thinking(thought: string, facts: { step?: number; progress?: number } = {}): Promise<void> {
    const { step, progress } = facts;
    return this.emit('agent_thinking', { thought: String(thought), step, progress: progress && unitInterval(progress) });
  }

  progress(progress: number, message = ''): Promise<void> {
    return this.emit('agent_thinking', { thought: message, progress: unitInterval(progress) });
  }

  delta(text: string): Promise<void> {
    if (this.over) return closed();
    this.onProgress();
    return this.emitter.delta(this.context.attempt, String(text));
  }

  tool<Result>(tool: string, args: JsonObject, call: (call: ToolCall) => Promise<Result>): Promise<Result> {
    return quietly(this.callTool(tool, args, call));
  }

  use(usage: Readonly<Record<string, number>>): void {
    this.usage ??= {};
    for (const [name, amount] of Object.entries(usage)) this.usage[name] = (this.usage[name] ?? 0) + amount;
  }

  onDispose(cleanUp: CleanUp): void {
    this.scope.onDispose(cleanUp);
  }

  /** Ends the handle: open tool calls are closed as errors, and nothing can be emitted through it any more. */
  end(reason: string): Record<string, number> | undefined {
    if (!this.over) {
      for (const callId of this.openCalls.keys()) void this.closeCall(callId, 'error', reason);
      this.over = true;
    }
    return this.usage;
  }

  private async callTool<Result>(
    tool: string,
    args: JsonObject,
    call: (call: ToolCall) => Promise<Result>,
  ): Promise<Result> {
    this.signal.throwIfAborted();
    const callId = newId('call');
    this.openCalls.set(callId, this.clock.now());
    await this.emit('tool_executing', { callId, tool, arguments: redact(args) });
    try {
      const result = await call({
        callId,
        signal: this.signal,
        progress: (progress, message) => this.emit('tool_progress', { callId, progress: unitInterval(progress), message }),
      });
      await this.closeCall(callId, 'ok', result);
      return result;
    } catch (error) {
      await this.closeCall(callId, 'error', error instanceof CarrelError ? error.message : 'the tool failed');
      throw error;
    }
  }

  private closeCall(callId: CallId, outcome: 'ok' | 'error', result: unknown): Promise<void> {
    const startedMs = this.openCalls.get(callId);
    if (startedMs === undefined) return closed();
    this.openCalls.delete(callId);
    const durationMs = this.clock.now() - startedMs;
    return this.emit('tool_completed', { callId, outcome, result: redact(result ?? null), durationMs });
  }

  private emit<Type extends RunEventType>(type: Type, data: RunEventData[Type] & object): Promise<void> {
    if (this.over) return closed();
    this.onProgress();
    return this.emitter.emit(type, this.context.attempt, data);
  }
}

function unitInterval(value: number): number {
  return Math.min(1, Math.max(0, Number(value) || 0));
}

function closed(): Promise<never> {
  return quietly(Promise.reject(new CarrelError('run_closed')));
}

/** A rejection that the agent does not wait for must not end the process. */
function quietly<Result>(promise: Promise<Result>): Promise<Result> {
  promise.catch(() => undefined);
  return promise;
}
