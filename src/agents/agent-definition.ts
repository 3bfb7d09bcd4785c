import type { UserExecutionContext } from '../context/user-execution-context.js';
import type { JsonObject, JsonValue } from '../shared/json.js';
import type { AgentClass, AgentProvider, BreakerOptions, FallbackOptions } from './agent-provider.js';
import type { RetryOptions } from './retry-options.js';

export interface WorkerOptions {
  /** The URL of the file that exports the class. */
  moduleUrl: string;
  memoryMb: number;
}

/** What the registry knows of an agent. Immutable, and the same for every user. */
export interface AgentDefinition {
  readonly name: string;
  readonly description: string;
  /** What Nest makes the instances of; resolve it in a run's own DI sub-tree, never keep an instance. */
  readonly agentClass: AgentClass;
  /** JSON Schema of the input as a client sends it; an empty one, with a note, when the schema can't be expressed so. */
  readonly inputSchema: JsonObject;
  readonly example?: JsonValue;
  /** The agent's own limits; what is missing is the configuration's business. */
  readonly timeoutMs?: number;
  readonly deadlineMs?: number;
  readonly retry?: Readonly<RetryOptions>;
  readonly effect: 'idempotent' | 'once';
  readonly fallback?: Readonly<FallbackOptions>;
  readonly breaker?: Readonly<Required<BreakerOptions>>;
  /** Only of agents that run in a worker thread. */
  readonly worker?: Readonly<WorkerOptions>;
  /**
   * What the agent is to get for an input as a client sends it. Called when a run is submitted, to refuse bad input, and
   * again at each attempt, for the value (a DTO's instance, a schema's output) can't be stored.
   *
   * @throws CarrelError `invalid_input`, with `details.issues`
   */
  validate(input: unknown): Promise<unknown>;
  /** A new instance, for one attempt with this context; undefined when it has to be resolved in the attempt's DI sub-tree. */
  make?(context: UserExecutionContext): AgentProvider | undefined;
}
