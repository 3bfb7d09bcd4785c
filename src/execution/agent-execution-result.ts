import type { UserExecutionContext } from '../context/user-execution-context.js';
import type { RunError, Usage } from '../events/run-error.js';
import type { JsonValue } from '../shared/json.js';

interface ResultFacts {
  /** Whose execution it was. */
  readonly context: UserExecutionContext;
  /** Number of the last attempt. */
  readonly attempt: number;
  readonly usage?: Usage;
}

/** How the execution of an agent ended; tell the cases apart by `status`. */
export type AgentExecutionResult = ResultFacts &
  (
    | { readonly status: 'completed' | 'degraded'; readonly result: JsonValue }
    | { readonly status: 'failed' | 'timed_out'; readonly error: RunError }
    /** `forced`: the agent did not stop within the grace period, and its work may still be going on, unheard. */
    | { readonly status: 'cancelled'; readonly by: string; readonly forced: boolean }
  );
