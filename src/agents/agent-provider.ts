import type { StandardJSONSchemaV1, StandardSchemaV1 } from '@standard-schema/spec';
import type { JsonValue } from '../shared/json.js';
import type { AgentRun } from './agent-run.js';
import type { RetryOptions } from './retry-options.js';

/** One piece of what a generating agent yields: a text is the same as `{ type: 'delta', text }`. */
export type AgentPart =
  string | { type: 'delta'; text: string } | { type: 'thinking'; thought: string; step?: number; progress?: number };

/**
 * What a class decorated with `@Agent` has to be. A fresh instance, in a DI sub-tree of its own, carries out each
 * attempt of each run, so its fields are never shared; any provider, and the `UserExecutionContext`, can be injected. An
 * instance that has `Symbol.asyncDispose` or `Symbol.dispose` is disposed of when its attempt has ended, whichever way.
 *
 * `run` returns the result (plain JSON, not `undefined`), or is an async generator that yields parts and returns the
 * result; a generator that returns nothing has the text it yielded as its result (`{ text }`).
 */
export interface AgentProvider<Input = unknown, Result = unknown> {
  run(input: Input, run: AgentRun): Promise<Result> | Result | AsyncGenerator<AgentPart, Result | void, void>;
}

/** A class that Nest can make an agent of. Its constructor's parameters are Nest's business. */
export type AgentClass = abstract new (...args: never[]) => AgentProvider<never>;

/** A class-validator DTO class, or any Standard Schema (zod, valibot, arktype, …). */
export type AgentInput = (new () => object) | StandardSchemaV1 | (StandardSchemaV1 & StandardJSONSchemaV1);

/** How an agent is declared. */
export interface AgentOptions {
  /** What users start it by: letters, digits, `-`, `_` and `.`, at most 64 characters. Unique in a server. */
  name: string;
  /** One or two sentences for the people who choose an agent. */
  description: string;
  /** What it accepts. Bad input is refused before a run exists. */
  input: AgentInput;
  /** An input that shows what the agent can do; it is offered to people who try the agent out. */
  example?: unknown;
  /** The time limit of one attempt. @default CARREL_ATTEMPT_TIMEOUT_MS (30000) */
  timeoutMs?: number;
  /** The time limit of the whole run, retries and their delays included. @default CARREL_RUN_TIMEOUT_MS (300000) */
  deadlineMs?: number;
  retry?: RetryOptions;
  /**
   * What a server that stopped in the middle of a run does with it when it is back: `idempotent` → it is run again,
   * `once` → it fails with `interrupted`, for it may have had effects that must not be had twice.
   * @default 'once'
   */
  effect?: 'idempotent' | 'once';
  /** Who or what answers when the agent has failed for good, or its breaker is open. The run is `degraded` then. */
  fallback?: FallbackOptions;
  /** Leaves the agent alone for a while when it has failed too often for a user; others' calls go on. @default none */
  breaker?: BreakerOptions;
  /**
   * `'worker'`: each attempt runs in a thread of its own, with a heap of its own, and is really ended when its time is over,
   * also in the middle of a loop. For agents that may hog the processor: in the server's own thread they hold up all users.
   * Guards, interceptors, pipes and filters stay in the server's thread; input, results and what the agent tells its run
   * cross over as plain data. The constructor may want a `UserExecutionContext` and nothing else, and is called on both sides:
   * leave the work to `run`. A thread takes some tenths of a second to begin. @default none
   */
  isolate?: 'worker';
  /** Where the worker finds the exported class: write `import.meta.url`. The file is loaded anew for each attempt. */
  moduleUrl?: string;
  /** The heap that the worker may have; Node's buffers are not part of it. @default 256 */
  memoryMb?: number;
}

/** Another agent, by name, that is given the same input; or a fixed value. */
export type FallbackOptions = { agent: string } | { value: JsonValue };

export interface BreakerOptions {
  /** Failed attempts in a row that open it. @default 5 */
  failures?: number;
  /** How long it stays open; then one attempt is let through. @default 60000 */
  resetMs?: number;
}
