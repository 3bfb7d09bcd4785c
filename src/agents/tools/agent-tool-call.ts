import type { UserExecutionContext } from '../../context/user-execution-context.js';
import type { ApprovalAnswer } from '../../events/approval-record.js';
import type { CallId } from '../../shared/ids.js';
import type { Ask } from '../agent-run.js';

/** One call of a tool, as the tool sees it: the second argument of a method with `@AgentTool`. */
export interface AgentToolCall {
  /** Who calls, from which run. */
  readonly context: UserExecutionContext;
  readonly callId: CallId;
  /** Number of the try, from 1. */
  readonly attempt: number;
  /** The same whenever this call is carried out, however often: give it to whatever must not be done twice. */
  readonly idempotencyKey: string;
  /** Aborted when the run is stopped or suspended, or the call's time is over. */
  readonly signal: AbortSignal;
  /** Name of the agent that calls. */
  readonly agent: string;
  /** Emits `tool_progress`, and counts as a sign of life. `progress` goes from 0 to 1. */
  progress(progress: number, message?: string): Promise<void>;
  /**
   * Asks the run's owner in the middle of the call. The run is suspended for it, and this call with it (`signal`); after
   * the answer the tool is called again, and asks again: then the answer is here at once. So a tool must ask before it
   * does anything.
   */
  ask(question: Ask): Promise<ApprovalAnswer>;
}
