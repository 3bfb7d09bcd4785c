import type { CleanUp } from '../context/execution-scope.js';
import type { UserExecutionContext } from '../context/user-execution-context.js';
import type { ApprovalAnswer, ApprovalKind } from '../events/approval-record.js';
import type { StepEffect } from '../events/step-record.js';
import type { JsonObject, JsonValue } from '../shared/json.js';
import type { RetryOptions } from './retry-options.js';
import type { UserTools } from './tools/user-tools.js';

/** The open tool call that `AgentRun.tool` gives to its function. */
export interface ToolCall {
  readonly callId: string;
  /** The run's signal. */
  readonly signal: AbortSignal;
  /** Emits `tool_progress`. `progress` goes from 0 to 1. */
  progress(progress: number, message?: string): Promise<void>;
}

/** What `AgentRun.step` gives to its function. */
export interface StepCall {
  /** Number of the try, from 1. */
  readonly attempt: number;
  /** The same whenever this step is carried out, however often: give it to whatever must not be done twice. */
  readonly idempotencyKey: string;
  /** Aborted when the run is stopped, or the step's own time is over. */
  readonly signal: AbortSignal;
}

export interface StepOptions {
  /** What to do with it when the process died while it was under way. @default 'once' */
  effect?: StepEffect;
  /** @default one attempt */
  retry?: RetryOptions;
  /** The time limit of one attempt. @default what is left of the agent's */
  timeoutMs?: number;
}

export interface SpawnOptions extends Omit<StepOptions, 'effect'> {
  /** What the step is called. @default the agent's name */
  name?: string;
  /** The agent answers for something else, which has failed: `agent_fallback` tells so, and the run is `degraded`. */
  insteadOf?: { name: string; reason: string };
}

/** What `AgentRun.ask` asks. */
export interface Ask {
  kind: ApprovalKind;
  /** One line. */
  title: string;
  details?: JsonValue;
  /** JSON Schema that the answer must fit. Its patterns are matched in linear time; look-arounds in them are not checked. */
  schema?: JsonObject;
  /** @default CARREL_APPROVAL_TTL_MS (24 h) */
  expiresInMs?: number;
  /** Roles: when there are any, only users who have one of them may decide. @default the owner decides */
  approvers?: readonly string[];
}

/**
 * An agent's handle on its run. What it emits is in the journal in the order of the calls; the promises resolve at once
 * unless the journal is far behind, so awaiting them costs nothing and keeps a chatty agent from filling the memory.
 * Everything that is called here counts as progress. After the run's end every method rejects with `run_closed`.
 */
export interface AgentRun {
  readonly context: UserExecutionContext;
  /** Aborted when the run is cancelled, or this attempt is over in any other way. Pass it to everything that can wait. */
  readonly signal: AbortSignal;
  /** When the whole run must have ended. */
  readonly deadline: Date;

  /** Emits `agent_thinking`. `progress` goes from 0 to 1. */
  thinking(thought: string, facts?: { step?: number; progress?: number }): Promise<void>;

  /** Emits `agent_message_delta`; texts that come within a few milliseconds are gathered into one event. */
  delta(text: string): Promise<void>;

  /** Emits `agent_thinking` with a progress from 0 to 1. */
  progress(progress: number, message?: string): Promise<void>;

  /**
   * Carries out `call` between `tool_executing` and `tool_completed` (`error` when it throws, and the error goes on).
   * Arguments and result are redacted and cut in the events, not in what the agent gets.
   */
  tool<Result>(tool: string, args: JsonObject, call: (call: ToolCall) => Promise<Result>): Promise<Result>;

  /**
   * Does something once: its outcome is recorded when it ends, and when the agent runs again from the top (after a retry,
   * a suspension or a crash) the recorded outcome is returned at once. Steps are known by their order: an agent must make
   * the same ones in the same order whenever it runs; steps that are begun together (`Promise.all`) are, in the order of
   * the calls.
   *
   * @throws CarrelError `step_timed_out`; `nondeterministic_agent`; `too_many_steps`; otherwise what `work` throws
   */
  step<Result extends JsonValue | void>(
    name: string,
    work: (call: StepCall) => Promise<Result> | Result,
    options?: StepOptions,
  ): Promise<Result>;

  /** Has another agent do something inside this run, in a context of its own one deeper: a step, with that agent's effect. */
  spawn<Result extends JsonValue = JsonValue>(agent: string, input: unknown, options?: SpawnOptions): Promise<Result>;

  /** The tools that this run's user may use from this agent: the application's own and those of MCP servers. */
  readonly tools: UserTools;

  /** Waits. For longer than a second the run is suspended: it holds no slot, no place in its lane and no memory. */
  sleep(ms: number): Promise<void>;

  /**
   * Asks the run's owner (on all devices), or whoever has one of the roles `approvers`, and suspends the run until somebody
   * decides or the question expires, which is a decision too. This attempt ends with it: after the answer the agent runs
   * again from the top, and comes by here with the answer.
   */
  ask(question: Ask): Promise<ApprovalAnswer>;

  /**
   * Runs `cleanUp` when this attempt ends, whichever way; the last one that was added runs first, and one that throws
   * stops no other.
   */
  onDispose(cleanUp: CleanUp): void;

  /** Adds to what the run reports as used, e.g. `{ inputTokens: 120 }`; numbers of one name are summed. */
  use(usage: Readonly<Record<string, number>>): void;
}
