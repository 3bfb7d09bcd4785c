import type { AgentDefinition } from '../agents/agent-definition.js';
import type { UserExecutionContext } from '../context/user-execution-context.js';
import type { RunError, Usage } from '../events/run-error.js';
import type { JsonValue } from '../shared/json.js';
import type { ScopePlace } from './scope-place.js';
import type { CallObserver } from './call-observer.js';
import type { StopReason } from './stop-reason.js';

/** How the call of an agent ended, all its attempts and its fallback taken together. */
export type CallEnd = { attempt: number; usage?: Usage } & (
  | { kind: 'returned'; value: JsonValue; degraded: boolean }
  /** `cause`: what the last attempt threw. */
  | { kind: 'failed'; status: 'failed' | 'timed_out'; error: RunError; cause: unknown }
  | { kind: 'stopped'; reason: StopReason; forced: boolean }
);

/** Who is called, and where in the run. */
export interface NestedCallFacts {
  readonly definition: AgentDefinition;
  readonly context: UserExecutionContext;
  readonly place: ScopePlace;
  readonly observer: CallObserver;
}

/** An agent's call inside a run. */
export interface NestedCall {
  carryOut(input: unknown, attempts: { first: number; last: number }): Promise<CallEnd>;
  stop(reason: StopReason): void;
}
