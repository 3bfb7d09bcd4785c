import type { AgentRun, Ask, SpawnOptions, StepCall, StepOptions, ToolCall } from '../agents/agent-run.js';
import type { UserTools } from '../agents/tools/user-tools.js';
import type { CleanUp, ExecutionScope } from '../context/execution-scope.js';
import type { UserExecutionContext } from '../context/user-execution-context.js';
import type { ApprovalAnswer } from '../events/approval-record.js';
import { redact } from '../events/redaction.js';
import type { RunEmitter } from '../events/run-emitter.js';
import type { RunEventData, RunEventType } from '../events/run-event.js';
import type { Clock } from '../shared/clock.js';
import { CarrelError } from '../shared/errors.js';
import { newId, type CallId } from '../shared/ids.js';
import type { JsonObject, JsonValue } from '../shared/json.js';
import type { ModelCall, ModelStepOptions, ModelSteps } from './model-step.js';
import type { RunSteps } from './run-steps.js';
import type { ScopeLife } from './scope-place.js';
import { resultOfStep } from './step-result.js';
import type { StepEnd } from './step-scope.js';
import { usageOfStep } from './step-usage.js';
import { RunTools } from './tools/run-tools.js';
import { traceToolFunction } from './tracing/step-span.js';
import { UsageCounter } from './usage-counter.js';

/** Where in its run an attempt is. */
export interface AttemptPlace {
  readonly steps: RunSteps;
  /** Number of the run's attempt, for the events; a step's own attempts are in its context. */
  readonly runAttempt: number;
  /** Path of the step that it is an attempt of; undefined: of the run. */
  readonly step: string | undefined;
  /** Name of the agent. */
  readonly agent: string;
}

/** The handle that one attempt of an agent works with. It is dead when the attempt is over, even if the run goes on. */
export class AttemptRun implements AgentRun, ModelSteps {
  private openCalls: Map<CallId, number> | undefined;
  private usage: UsageCounter | undefined;
  private over = false;

  constructor(
    private readonly scope: ExecutionScope,
    private readonly place: AttemptPlace,
    private readonly emitter: RunEmitter,
    private readonly clock: Clock,
    private readonly life: Pick<ScopeLife, 'onProgress'>,
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

  thinking(thought: string, { step, progress }: { step?: number; progress?: number } = {}): Promise<void> {
    return this.emit('agent_thinking', {
      thought: String(thought),
      step: Number.isFinite(step) ? step : undefined,
      progress: progress === undefined ? undefined : unitInterval(progress),
    });
  }

  progress(progress: number, message = ''): Promise<void> {
    return this.emit('agent_thinking', { thought: String(message), progress: unitInterval(progress) });
  }

  delta(text: string): Promise<void> {
    if (this.over) return closed();
    this.life.onProgress();
    return this.emitter.addDelta(this.place.runAttempt, String(text), this.place.step);
  }

  tool<Result>(tool: string, args: JsonObject, call: (call: ToolCall) => Promise<Result>): Promise<Result> {
    if (this.over) return closed();
    return quietly(
      this.place.steps.track((step) => {
        step.detached = true;
        return traceToolFunction(String(tool), () => this.callTool(String(tool), args, call));
      }),
    );
  }

  step<Result extends JsonValue | void>(
    name: string,
    work: (call: StepCall) => Promise<Result> | Result,
    options: StepOptions = {},
  ): Promise<Result> {
    return quietly(this.ended(() => this.place.steps.perform(name, work, options)) as Promise<Result>);
  }

  spawn<Result extends JsonValue>(agent: string, input: unknown, options: SpawnOptions = {}): Promise<Result> {
    return quietly(this.ended(() => this.place.steps.spawn(agent, input, options)) as Promise<Result>);
  }

  sleep(ms: number): Promise<void> {
    return this.over ? closed() : quietly(this.place.steps.sleep(ms));
  }

  ask(question: Ask): Promise<ApprovalAnswer> {
    return this.over ? closed() : quietly(this.place.steps.ask(question));
  }

  get tools(): UserTools {
    const { steps, agent } = this.place;
    const { scope } = this;
    return new RunTools({ steps, agent, scope }, steps.parts.tools, () => {
      this.assertOpen();
      this.life.onProgress();
    });
  }

  /** `ModelSteps` */
  model<Result extends JsonValue>(
    name: string,
    work: (call: ModelCall) => Promise<Result>,
    options?: ModelStepOptions,
  ): Promise<Result> {
    return quietly(this.ended(() => this.place.steps.model(name, work, options)) as Promise<Result>);
  }

  use(usage: Readonly<Record<string, number>>): void {
    (usageOfStep() ?? (this.usage ??= new UsageCounter())).add(usage);
  }

  onDispose(cleanUp: CleanUp): void {
    this.scope.onDispose(cleanUp);
  }

  /** Ends the handle: open tool calls are closed as errors, and nothing can be emitted through it any more. */
  end(reason: string): Readonly<Record<string, number>> | undefined {
    if (!this.over) {
      for (const callId of this.openCalls?.keys() ?? []) void quietly(this.closeCall(callId, 'error', reason));
      this.over = true;
    }
    return this.usage?.total;
  }

  private async ended(step: () => Promise<StepEnd>): Promise<unknown> {
    this.assertOpen();
    return resultOfStep(step());
  }

  private assertOpen(): void {
    if (this.over) throw new CarrelError('run_closed');
  }

  private async callTool<Result>(
    tool: string,
    args: JsonObject,
    call: (call: ToolCall) => Promise<Result>,
  ): Promise<Result> {
    const callId = newId('call');
    await this.openCall(callId, tool, args);
    try {
      this.context.throwIfStopped(); // the journal may have made it wait
      const result = await call({
        callId,
        signal: this.signal,
        progress: (progress, message) =>
          this.emit('tool_progress', { callId, progress: unitInterval(progress), message }),
      });
      await this.closeCall(callId, 'ok', result);
      return result;
    } catch (error) {
      await this.closeCall(callId, 'error', error instanceof CarrelError ? error.message : 'the tool failed').catch(
        () => undefined,
      );
      throw error;
    }
  }

  private async openCall(callId: CallId, tool: string, args: JsonObject): Promise<void> {
    (this.openCalls ??= new Map()).set(callId, this.clock.now());
    try {
      await this.emit('tool_executing', { callId, tool, arguments: redact(args) });
    } catch (error) {
      this.openCalls?.delete(callId); // it is not in the record: there is nothing to close
      throw error;
    }
  }

  /** Does nothing when the call is closed already, because the attempt ended first. */
  private async closeCall(callId: CallId, outcome: 'ok' | 'error', result: unknown): Promise<void> {
    const startedMs = this.openCalls?.get(callId);
    if (startedMs === undefined || !this.openCalls?.delete(callId)) return;
    const durationMs = this.clock.now() - startedMs;
    await this.emit('tool_completed', { callId, outcome, result: redact(result ?? null), durationMs });
  }

  private emit<Type extends RunEventType>(type: Type, data: RunEventData[Type] & object): Promise<void> {
    if (this.over) return closed();
    this.life.onProgress();
    return this.emitter.emit(type, this.place.runAttempt, data, this.place.step);
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
