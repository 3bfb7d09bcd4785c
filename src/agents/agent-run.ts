import type { CleanUp } from '../context/execution-scope.js';
import type { UserExecutionContext } from '../context/user-execution-context.js';
import type { JsonObject } from '../shared/json.js';

/** The open tool call that `AgentRun.tool` gives to its function. */
export interface ToolCall {
  readonly callId: string;
  /** The run's signal. */
  readonly signal: AbortSignal;
  /** Emits `tool_progress`. `progress` goes from 0 to 1. */
  progress(progress: number, message?: string): Promise<void>;
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
   * Runs `cleanUp` when this attempt ends, whichever way; the last one that was added runs first, and one that throws
   * stops no other.
   */
  onDispose(cleanUp: CleanUp): void;

  /** Adds to what the run reports as used, e.g. `{ inputTokens: 120 }`; numbers of one name are summed. */
  use(usage: Readonly<Record<string, number>>): void;
}
