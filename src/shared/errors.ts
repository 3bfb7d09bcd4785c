import type { JsonObject } from './json.js';

interface ErrorFacts {
  /** HTTP status of the problem that reports it. */
  status: number;
  /** Fixed, short text for people (RFC 9457 `title`). */
  title: string;
  /** Whether the same call, or the same attempt, may succeed when it is made again unchanged. */
  retryable: boolean;
}

/**
 * Every error that a user can meet, in one table. Codes are a contract: they never change meaning and are
 * documented in docs/errors.md; `test/shared/errors.spec.ts` holds the table and the documents together.
 */
export const ERRORS = {
  // who is calling
  unauthenticated: { status: 401, title: 'A valid token is required', retryable: false },
  token_expired: { status: 401, title: 'The token has expired', retryable: false },
  keys_unavailable: { status: 503, title: 'The keys to verify tokens with can not be fetched', retryable: true },
  forbidden: { status: 403, title: 'The caller may not do this', retryable: false },
  // what is asked
  invalid_request: { status: 400, title: 'The request is malformed', retryable: false },
  invalid_input: { status: 422, title: "The input does not fit the agent's schema", retryable: false },
  unknown_agent: { status: 422, title: 'There is no agent of that name', retryable: false },
  unknown_pipeline: { status: 422, title: 'There is no pipeline of that name', retryable: false },
  invalid_pipeline: { status: 422, title: 'The pipeline can not be carried out', retryable: false },
  invalid_schedule: { status: 422, title: 'The schedule is malformed', retryable: false },
  invalid_answer: { status: 422, title: 'The answer does not fit what was asked', retryable: false },
  unknown_event: { status: 400, title: 'There is no message of that name', retryable: false },
  not_found: { status: 404, title: 'There is nothing here for this caller', retryable: false },
  method_not_allowed: { status: 405, title: 'The method is not allowed here', retryable: false },
  payload_too_large: { status: 413, title: 'The payload is too large', retryable: false },
  unsupported_media_type: { status: 415, title: 'The content type is not supported', retryable: false },
  idempotency_conflict: { status: 409, title: 'The idempotency key was used for another request', retryable: false },
  run_ended: { status: 409, title: 'The run has already ended', retryable: false },
  run_not_ended: { status: 409, title: 'The run has not ended yet', retryable: false },
  thread_busy: { status: 409, title: 'The thread has runs that have not ended', retryable: true },
  approval_closed: { status: 409, title: 'The question is closed', retryable: false },
  approval_changed: { status: 409, title: 'The answer is to another question', retryable: false },
  no_open_question: { status: 409, title: 'The run has no open question', retryable: false },
  several_open_questions: { status: 409, title: 'The run has more than one open question', retryable: false },
  // how much is asked
  queue_full: { status: 429, title: 'Too many runs are waiting', retryable: true },
  rate_limited: { status: 429, title: 'Too many starts', retryable: true },
  too_many_sockets: { status: 429, title: 'Too many connections', retryable: true },
  too_many_suspended: { status: 429, title: 'Too many runs are suspended', retryable: true },
  too_many_schedules: { status: 409, title: 'Too many schedules', retryable: false },
  // what operators have switched off
  agent_disabled: { status: 503, title: 'The agent is switched off', retryable: true },
  user_suspended: { status: 403, title: 'The user may start nothing for now', retryable: false },
  too_many_switches: { status: 409, title: 'Too many agents and users are switched off', retryable: false },
  // how a run can end badly
  agent_failed: { status: 500, title: 'The agent failed', retryable: true },
  agent_denied: { status: 403, title: 'A guard of the agent refused the run', retryable: false },
  no_result: { status: 500, title: 'The agent ended without a result', retryable: false },
  invalid_result: { status: 500, title: 'The result of the agent is not plain, bounded JSON', retryable: false },
  attempt_timed_out: { status: 504, title: 'The attempt took longer than the agent allows', retryable: true },
  run_timed_out: { status: 504, title: 'The run reached its deadline', retryable: false },
  no_progress: { status: 504, title: 'The agent showed no progress and was declared dead', retryable: true },
  step_timed_out: { status: 504, title: 'The step took longer than it may', retryable: true },
  step_not_done: { status: 409, title: 'An interrupted step was not to be done again', retryable: false },
  too_many_steps: { status: 500, title: 'The run has more steps than a run may have', retryable: false },
  nondeterministic_agent: {
    status: 500,
    title: 'The agent does not repeat its steps in their order',
    retryable: false,
  },
  pipeline_failed: { status: 500, title: 'A step of the pipeline failed', retryable: false },
  circuit_open: { status: 503, title: 'The agent has failed too often and is left alone for a while', retryable: true },
  hook_failed: { status: 500, title: 'A hook refused the run', retryable: false },
  worker_failed: { status: 500, title: "The agent's worker ended before the agent did", retryable: true },
  interrupted: { status: 503, title: 'The server stopped while the run was under way', retryable: true },
  run_closed: { status: 409, title: 'The run has ended; nothing more can be added to it', retryable: false },
  context_disposed: { status: 500, title: 'The execution context was used after its end', retryable: false },
  // tools and models
  unknown_tool: { status: 422, title: 'There is no tool of that name for this caller', retryable: false },
  invalid_arguments: { status: 422, title: "The arguments do not fit the tool's schema", retryable: false },
  tool_denied: { status: 403, title: 'The policy does not let this caller use the tool', retryable: false },
  tool_declined: { status: 403, title: 'The call of the tool was not approved', retryable: false },
  tool_failed: { status: 502, title: 'The tool says that it failed', retryable: false },
  tool_timed_out: { status: 504, title: 'The tool took longer than it may', retryable: true },
  tool_result_too_large: { status: 502, title: 'The result of the tool is too large', retryable: false },
  invalid_tool_result: { status: 502, title: 'The result of the tool is not what it promised', retryable: false },
  mcp_unavailable: { status: 503, title: 'The MCP server can not be reached', retryable: true },
  mcp_tool_changed: { status: 409, title: 'The tool has changed since it was accepted', retryable: false },
  unknown_model: { status: 500, title: 'There is no model of that name', retryable: false },
  model_failed: { status: 502, title: 'The model could not answer', retryable: true },
  model_refused: { status: 502, title: 'The provider refused the request', retryable: false },
  invalid_model_output: {
    status: 502,
    title: 'The model did not answer in the form that was asked for',
    retryable: true,
  },
  too_many_model_calls: { status: 500, title: 'The agent asked the model more often than it may', retryable: false },
  budget_exceeded: { status: 402, title: "The user's budget is used up", retryable: false },
  // the server itself
  draining: { status: 503, title: 'The server is shutting down', retryable: true },
  not_ready: { status: 503, title: 'The server can not work for now', retryable: true },
  database_unavailable: { status: 503, title: 'The database can not be reached', retryable: true },
  internal: { status: 500, title: 'The server failed', retryable: true },
  // what stops the boot
  invalid_config: { status: 500, title: 'The configuration is invalid', retryable: false },
  invalid_agent: { status: 500, title: 'An agent or a tool is declared wrongly', retryable: false },
  data_locked: { status: 500, title: 'The data folder is in use', retryable: false },
  incompatible_data: { status: 500, title: 'The data was written by a newer version', retryable: false },
  migration_refused: { status: 500, title: 'The data can not be moved to that database', retryable: false },
  unsupported_database: { status: 500, title: 'The database server is not one that Carrel can use', retryable: false },
  redis_unavailable: { status: 500, title: 'Redis can not be reached', retryable: false },
  unsupported_redis: { status: 500, title: 'The Redis server is not one that Carrel can use', retryable: false },
} as const satisfies Record<string, ErrorFacts>;

export type ErrorCode = keyof typeof ERRORS;

/** Known to every copy of this module; `code` alone is not enough, for other libraries have errors with codes like ours. */
const BRAND = Symbol.for('carrel.CarrelError');

interface CarrelErrorOptions {
  cause?: unknown;
  /** Facts that may cross the wire: never secrets, never another user's data. */
  details?: JsonObject;
  /** When it makes sense to try again. */
  retryAfterMs?: number;
  /** What the table says of the code, unless this error knows better. */
  retryable?: boolean;
}

/**
 * An error whose code and message may be shown to the user. Everything else that is thrown becomes `internal`
 * (or `agent_failed` inside a run) with a fixed text. Match it by `code`: journalled errors have no prototype.
 */
export class CarrelError extends Error {
  readonly code: ErrorCode;
  readonly details: JsonObject | undefined;
  readonly retryAfterMs: number | undefined;
  readonly retryable: boolean;

  constructor(code: ErrorCode, message?: string, options: CarrelErrorOptions = {}) {
    super(message ?? ERRORS[code].title, 'cause' in options ? { cause: options.cause } : undefined);
    this.name = new.target.name;
    this.code = code;
    this.details = options.details;
    this.retryAfterMs = options.retryAfterMs;
    this.retryable = options.retryable ?? ERRORS[code].retryable;
  }

  get facts(): ErrorFacts {
    return ERRORS[this.code];
  }

  get [BRAND](): true {
    return true;
  }
}

/** True for an error of ours, also one that came from another copy of this module. */
export function isCarrelError(error: unknown): error is CarrelError {
  return error instanceof Error && BRAND in error;
}
