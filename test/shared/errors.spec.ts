import { readdirSync, readFileSync } from 'node:fs';
import { renderErrorDocs } from '../../src/edge/error-docs.js';
import { CarrelError, ERRORS, isCarrelError, type ErrorCode } from '../../src/shared/errors.js';

const ROOT = new URL('../../', import.meta.url);
const CODES = Object.keys(ERRORS) as ErrorCode[];
const textOf = (file: string) => readFileSync(new URL(file, ROOT), 'utf8');

/** For each code a test that meets it where users do, or the reason why nobody can. */
const MET_BY: Readonly<Record<ErrorCode, string>> = {
  unauthenticated: 'test/e2e/bad-input-tokens.spec.ts',
  token_expired: 'test/e2e/bad-input-tokens.spec.ts',
  keys_unavailable: 'test/edge/identity-tokens.spec.ts',
  forbidden: 'test/e2e/bad-input-own-code.spec.ts',
  invalid_request: 'test/e2e/bad-input-rest.spec.ts',
  invalid_input: 'test/e2e/bad-input-rest.spec.ts',
  unknown_agent: 'test/e2e/bad-input-rest.spec.ts',
  unknown_pipeline: 'test/edge/start-options.spec.ts',
  invalid_pipeline: 'test/edge/start-options.spec.ts',
  invalid_schedule: 'test/edge/schedules.spec.ts',
  invalid_answer: 'test/edge/approvals.spec.ts',
  unknown_event: 'test/e2e/bad-input-sockets.spec.ts',
  not_found: 'test/e2e/bad-input-rest.spec.ts',
  method_not_allowed: 'test/e2e/bad-input-rest.spec.ts',
  payload_too_large: 'test/e2e/bad-input-rest.spec.ts',
  unsupported_media_type: 'test/e2e/bad-input-rest.spec.ts',
  idempotency_conflict: 'test/e2e/bad-input-rest.spec.ts',
  run_ended: 'test/e2e/bad-input-rest.spec.ts',
  run_not_ended: 'test/edge/retry.spec.ts',
  thread_busy: 'test/edge/rest.spec.ts',
  approval_closed: 'test/edge/approvals.spec.ts',
  approval_changed: 'test/edge/approvals.spec.ts',
  no_open_question: 'test/edge/approvals.spec.ts',
  several_open_questions: 'test/edge/approvals.spec.ts',
  queue_full: 'test/e2e/lanes.spec.ts',
  rate_limited: 'test/edge/rest.spec.ts',
  too_many_sockets: 'test/e2e/bad-input-sockets.spec.ts',
  too_many_suspended: 'test/contracts/run-suspension.contract.ts',
  too_many_schedules: 'test/edge/schedules.spec.ts',
  agent_disabled: 'test/edge/operators.spec.ts',
  user_suspended: 'test/edge/operators.spec.ts',
  too_many_switches: 'test/contracts/operations-store.contract.ts',
  agent_failed: 'test/e2e/outcomes.spec.ts',
  agent_denied: 'test/agents/agent-enhancers.spec.ts',
  no_result: 'test/e2e/outcomes.spec.ts',
  invalid_result: 'test/e2e/outcomes.spec.ts',
  attempt_timed_out: 'test/e2e/outcomes.spec.ts',
  run_timed_out: 'test/execution/engine.spec.ts',
  no_progress: 'test/e2e/outcomes.spec.ts',
  step_timed_out: 'test/execution/durable-steps.spec.ts',
  step_not_done: 'test/execution/durable-steps.spec.ts',
  too_many_steps: 'test/execution/durable-steps.spec.ts',
  nondeterministic_agent: 'test/execution/durable-steps.spec.ts',
  pipeline_failed: 'test/pipeline/random-graphs.spec.ts',
  unknown_tool: 'test/tools/tool-calls.spec.ts',
  invalid_arguments: 'test/tools/tool-calls.spec.ts',
  tool_denied: 'test/tools/tool-calls.spec.ts',
  tool_declined: 'test/tools/tool-questions.spec.ts',
  tool_failed: 'test/tools/tool-calls.spec.ts',
  tool_timed_out: 'test/mcp/hostile-servers.spec.ts',
  tool_result_too_large: 'test/mcp/hostile-servers.spec.ts',
  invalid_tool_result: 'test/mcp/hostile-servers.spec.ts',
  mcp_unavailable: 'test/mcp/hostile-servers.spec.ts',
  mcp_tool_changed: 'test/mcp/accepted-tools.spec.ts',
  unknown_model: 'test/models/provider-failures.spec.ts',
  model_failed: 'test/models/provider-failures.spec.ts',
  model_refused: 'test/models/provider-failures.spec.ts',
  invalid_model_output: 'test/models/provider-failures.spec.ts',
  too_many_model_calls: 'test/models/provider-failures.spec.ts',
  budget_exceeded: 'test/models/budgets.spec.ts',
  circuit_open: 'test/execution/circuit-breakers.spec.ts',
  hook_failed: 'test/execution/hooks/hook-chain.spec.ts',
  worker_failed: 'test/agents/worker/worker-server.spec.ts',
  interrupted: 'test/e2e/crash.spec.ts',
  run_closed: 'test/agents/consume-parts.spec.ts',
  context_disposed: 'test/context/execution-scope.spec.ts',
  draining: 'test/edge/rest.spec.ts',
  not_ready: 'test/edge/health.spec.ts',
  database_unavailable: 'test/storage/postgres-database.spec.ts',
  internal: 'test/e2e/bad-input-own-code.spec.ts',
  invalid_config: 'test/cli/start.spec.ts',
  invalid_agent: 'test/agents/agent-registry.spec.ts',
  data_locked: 'test/storage/sqlite-database.spec.ts',
  incompatible_data: 'test/storage/sqlite-database.spec.ts',
  migration_refused: 'test/storage/migration.spec.ts',
  unsupported_database: 'test/storage/postgres-database.spec.ts',
  redis_unavailable: 'test/dispatch/redis-connections.spec.ts',
  unsupported_redis: 'test/dispatch/redis-connections.spec.ts',
};

describe('the table of errors', () => {
  it('has a status that fits, and fixed, short titles, each once', () => {
    for (const code of CODES) {
      const { status, title, retryable } = ERRORS[code];
      expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/);
      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(600);
      expect(title).toMatch(/^[A-Z][^.<>|]{5,60}$/);
      if (status === 429 || status === 503) expect({ code, retryable }).toEqual({ code, retryable: true });
    }
    expect(new Set(CODES.map((code) => ERRORS[code].title)).size).toBe(CODES.length);
  });

  it('is met by tests: each code where its users meet it', () => {
    for (const [code, where] of Object.entries(MET_BY)) {
      if (where.startsWith('not sent')) expect(sourcesWith(code)).toEqual([]);
      else expect({ code, where, isMet: textOf(where).includes(code) }).toEqual({ code, where, isMet: true });
    }
  });

  it('is in docs/errors.md, with when it happens and what to do (`npm run docs:errors` writes it)', () => {
    const docs = textOf('docs/errors.md');
    expect(docs).toBe(renderErrorDocs());
    expect([...docs.matchAll(/^## `(\w+)`$/gm)].map(([, code]) => code)).toEqual(CODES);
    const [index] = docs.split('\n## ');
    const listed = [...index!.matchAll(/\[`(\w+)`\]\(#\1\)/g)].map(([, code]) => code);
    expect([listed.length, new Set(listed)]).toEqual([CODES.length, new Set(CODES)]);
    expect(docs.match(/^\*\*What to do:\*\* /gm)).toHaveLength(CODES.length);
  });
});

describe('an error of ours', () => {
  it('says what the table says, unless it knows better', () => {
    const error = new CarrelError('queue_full');
    expect(error).toMatchObject({ message: ERRORS.queue_full.title, retryable: true, facts: ERRORS.queue_full });
    expect(new CarrelError('queue_full', 'wait', { retryable: false })).toMatchObject({
      message: 'wait',
      retryable: false,
    });
  });

  it('is not what only looks like one', () => {
    expect(isCarrelError(new CarrelError('internal'))).toBe(true);
    expect(isCarrelError(Object.assign(new Error('x'), { code: 'queue_full' }))).toBe(false);
    expect(isCarrelError({ code: 'queue_full', message: 'x' })).toBe(false);
  });
});

/** Files, but for the table and its documents, that have the code as a text. */
function sourcesWith(code: string): string[] {
  return readdirSync(new URL('src/', ROOT), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !/errors\.ts$|error-help\.ts$/.test(file))
    .filter((file) => textOf(`src/${file}`).includes(`'${code}'`));
}
