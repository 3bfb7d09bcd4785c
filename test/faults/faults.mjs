import { BOUNDARY_FAULTS } from './boundary-faults.mjs';
import { CLIENT_FAULTS } from './client-faults.mjs';
import { CRASH_FAULTS } from './crash-faults.mjs';
import { LLM_FAULTS } from './llm-faults.mjs';
import { MODEL_FAULTS } from './model-faults.mjs';
import { MCP_FAULTS } from './mcp-faults.mjs';
import { POSTGRES_FAULTS } from './postgres-faults.mjs';
import { NODE_FAULTS } from './node-faults.mjs';
import { REDIS_FAULTS } from './redis-faults.mjs';
import { OPERATIONS_FAULTS } from './operations-faults.mjs';
import { STEP_FAULTS } from './step-faults.mjs';
import { STORAGE_FAULTS } from './storage-faults.mjs';
import { TOOL_FAULTS } from './tool-faults.mjs';

/**
 * Faults that somebody could bring in, and the tests that must notice each of them.
 *
 * `search` must be in the file exactly once: a fault that can't be seeded any more fails the run, so that this table grows
 * old no more quietly than the tests do. `only` narrows a spec down to the tests whose names fit. `built`: the spec starts
 * the built server.
 *
 * @typedef {{ name: string, file: string, search: string, replace: string, spec: string, only?: string, built?: true }} Fault
 * @type {readonly Fault[]}
 */
export const FAULTS = [
  {
    name: 'a link to the console signs in as often as anybody likes',
    file: 'src/edge/console/console-session.service.ts',
    search: 'if (issuedAtMs < this.startedAtMs || this.used.has(id)) {',
    replace: 'if (issuedAtMs < this.startedAtMs) {',
    spec: 'test/cli/console.spec.ts',
    only: 'prints a link that signs in once',
  },
  {
    name: 'all runs share one DI sub-tree',
    file: 'src/context/execution-scope.ts',
    search: 'this.id = ContextIdFactory.create();',
    replace: 'this.id = (ExecutionScope as unknown as { shared: ContextId }).shared ??= ContextIdFactory.create();',
    spec: 'test/context/injection.spec.ts',
  },
  {
    name: 'a run is found by its id alone',
    file: 'src/storage/sqlite/run-reader.ts',
    search: "this.byId = database.prepare(`${RUNS_BY('runs_by_user')} AND r.id = ?2`);",
    replace:
      "this.byId = database.prepare('SELECT r.*, q.request FROM runs r JOIN run_requests q ON q.run_key = r.key WHERE ?1 IS NOT NULL AND r.id = ?2');",
    spec: 'test/e2e/isolation.spec.ts',
  },
  {
    name: 'events are delivered before the commit',
    file: 'src/storage/sqlite/group-commit.ts',
    search: `this.backlog.log();
      return carriedOut;
    });
    const facts = { operations: batch.length, tookMs: performance.now() - beganMs };
    if (journalled.length > 0) this.deliver(journalled, facts);`,
    replace: `if (journalled.length > 0) this.deliver(journalled, { operations: batch.length, tookMs: 0 });
      this.backlog.log();
      return carriedOut;
    });`,
    spec: 'test/faults/journal-first.spec.ts',
  },
  {
    name: 'a failed run keeps its place in the lane',
    file: 'src/storage/run-closing.ts',
    search: 'leaveLane(user, run, runs);',
    replace: "if (outcome.status !== 'failed') leaveLane(user, run, runs);",
    spec: 'test/e2e/isolation.spec.ts',
  },
  {
    name: 'a scope is not closed when its agent fails',
    file: 'src/execution/attempt.ts',
    search: 'await scope[Symbol.asyncDispose]();',
    replace: 'if (this.stopReason) await scope[Symbol.asyncDispose]();',
    spec: 'test/e2e/outcomes.spec.ts',
    only: 'function with invalid_result|leaves nothing open',
  },
  {
    name: 'a run can be ended under an old fence',
    file: 'src/storage/run-rules.ts',
    search: "if (run?.status === 'running' && run.fence === fence) return run;",
    replace: "if (run?.status === 'running' && fence > 0) return run;",
    spec: 'test/storage/sqlite.spec.ts',
    only: 'once another one has taken the run over',
  },
  {
    name: 'the terminal event is written twice',
    file: 'src/storage/run-closing.ts',
    search: 'events.append(user, run, all, journalled);',
    replace: 'events.append(user, run, [...all, ...all.slice(-1)], journalled);',
    spec: 'test/e2e/outcomes.spec.ts',
    only: 'completes with what the agent returns|when the attempts are used up',
  },
  {
    name: 'secrets are not redacted',
    file: 'src/events/redaction.ts',
    search: 'SECRET_KEY.test(key) ? REDACTED : shown(item, depth + 1)',
    replace: 'shown(item, depth + 1)',
    spec: 'test/events/redaction.spec.ts',
  },
  {
    name: 'another attempt uses the same agent again',
    file: 'src/execution/engine-services.ts',
    search: 'const instance = made ? scope.adopt(made) : await scope.resolve(definition.agentClass);',
    replace: `const kept = ((globalThis as { kept?: Map<unknown, never> }).kept ??= new Map());
        const instance = kept.get(run.context.runId) ?? ((made ?? (await scope.resolve(definition.agentClass))) as never);
        kept.set(run.context.runId, instance);`,
    spec: 'test/e2e/outcomes.spec.ts',
    only: 'a fresh agent for every attempt',
  },
  {
    name: 'a header can name another user',
    file: 'src/edge/http-identity.ts',
    search: 'const context = buildRequestContext(identity,',
    replace:
      "const context = buildRequestContext({ ...identity, userId: (request.headers['x-user-id'] ?? identity.userId) as never },",
    spec: 'test/edge/identity-http.spec.ts',
    only: 'can not be changed by anything else',
  },
  {
    name: 'a body can name another user',
    file: 'src/context/context.module.ts',
    search: 'return context;',
    replace:
      'const named = (request as { body?: { userId?: never } }).body?.userId; return named ? new UserExecutionContext({ ...context, createdAtMs: 0, userId: named }) : context;',
    spec: 'test/edge/identity-http.spec.ts',
    only: 'can not be changed by anything else',
  },
  {
    name: 'what arrives while the journal is read is skipped',
    file: 'src/edge/event-feed.ts',
    search: 'if (arrivals.length < MAX_ARRIVALS) arrivals.push(event);',
    replace: 'if (arrivals.length > 0) arrivals.push(event);',
    spec: 'test/edge/event-feed.spec.ts',
  },
  {
    name: 'a write is confirmed before its events are delivered',
    file: 'src/storage/sqlite/group-commit.ts',
    search: `if (journalled.length > 0) this.deliver(journalled, facts);
    for (const`,
    replace: `if (journalled.length > 0) queueMicrotask(() => queueMicrotask(() => this.deliver(journalled, facts)));
    for (const`,
    spec: 'test/storage/group-commit.spec.ts',
    only: 'commits what came in one tick',
  },
  {
    name: 'a cancel is recorded, but tells the agent nothing',
    file: 'src/execution/attempt.ts',
    search: "this.switch.abort(reason.kind === 'above' ? reason.error : stopError(reason));",
    replace: 'void stopError(reason);',
    spec: 'test/e2e/outcomes.spec.ts',
    only: 'cancels an agent that listens',
  },
  {
    name: 'slots go to whoever came first',
    file: 'src/dispatch/in-process.dispatcher.ts',
    search: `this.line.delete(userId);
      if (own.length > 0) this.line.set(userId, own);`,
    replace: 'if (own.length === 0) this.line.delete(userId);',
    spec: 'test/dispatch/in-process.dispatcher.spec.ts',
  },
  {
    name: 'calls are left open at the end of a run',
    file: 'src/execution/attempt-run.ts',
    search: "void quietly(this.closeCall(callId, 'error', reason));",
    replace: 'void callId;',
    spec: 'test/context/execution-scope.spec.ts',
  },
  {
    name: 'names that every object has are let through',
    file: 'src/edge/checked.pipe.ts',
    search: 'filter((key) => !known.has(key));',
    replace: 'filter((key) => !known.has(key) && !(key in {}));',
    spec: 'test/e2e/bad-input-rest.spec.ts',
    only: 'hasOwnProperty|__proto__=1',
  },
  {
    name: 'a reserved key of metadata is let through',
    file: 'src/execution/run-request.ts',
    search: 'if (reserved) throw',
    replace: 'if (reserved === "deadline") throw',
    spec: 'test/e2e/bad-input-rest.spec.ts',
    only: 'reserved metadata',
  },
  {
    name: 'keys that can reach a prototype are let through',
    file: 'src/shared/json.ts',
    search: 'if (PROTOTYPE_KEYS.has(key)) return',
    replace: 'if (PROTOTYPE_KEYS.has(key) && depth < 0) return',
    spec: 'test/e2e/bad-input-sockets.spec.ts',
    only: 'in the input|in metadata',
  },
  {
    name: 'a run is recorded whose input the agent refuses',
    file: 'src/execution/run-preparation.service.ts',
    search: 'await agent.validate(input);',
    replace: 'await agent.validate(input).catch(() => undefined);',
    spec: 'test/e2e/bad-input-rest.spec.ts',
    only: 'an input of',
  },
  {
    name: 'what is thrown inside crosses the wire',
    file: 'src/edge/problem.ts',
    search: 'message: `${title}; support code ${supportCode}`',
    replace: 'message: `${title}: ${describe(error)}`',
    spec: 'test/e2e/bad-input-own-code.spec.ts',
  },
  {
    name: 'a token in the query counts',
    file: 'src/edge/http-identity.ts',
    search: 'bearerTokenOf(request.headers.authorization);',
    replace: 'bearerTokenOf(request.headers.authorization) ?? (request.query as { token?: string }).token;',
    spec: 'test/e2e/bad-input-tokens.spec.ts',
    only: 'in the wrong place',
  },
  {
    name: 'a stream outlives its token',
    file: 'src/edge/event-stream.ts',
    search: "else this.end('auth_expired');",
    replace: 'else this.cancelExpiry();',
    spec: 'test/e2e/bad-input-tokens.spec.ts',
    only: 'ends the socket and the stream',
  },
  {
    name: 'requests for another protocol wait in vain',
    file: 'src/edge/http-server-options.ts',
    search: "headers.upgrade?.toLowerCase() === 'websocket' && url?.startsWith('/socket.io/') === true",
    replace: 'headers.upgrade !== undefined && url !== undefined',
    spec: 'test/e2e/bad-input-bytes.spec.ts',
    only: 'another protocol',
  },
  {
    name: 'a shared state object says whose run it is, and nobody compares',
    file: 'src/edge/shared-state.ts',
    search: "if (state['user_id'] !== undefined && state['user_id'] !== userId) {",
    replace: "if (state['user_id'] !== undefined && typeof state['user_id'] !== 'string') {",
    spec: 'test/edge/shared-state.spec.ts',
    only: 'names another user',
  },
  {
    name: 'a run can be resumed with the question of another run',
    file: 'src/execution/run-questions.service.ts',
    search: 'if (approval.runId !== run.id) throw',
    replace: 'if (approval.userId !== run.userId) throw',
    spec: 'test/edge/approvals.spec.ts',
    only: 'answers no question of another run',
  },
  {
    name: "what a run asks is shown to whoever knows the run's id",
    file: 'src/storage/sqlite/approval-reader.ts',
    search: 'WHERE user_key = (SELECT key FROM users WHERE id = ?) AND id = ?)',
    replace: "WHERE ? <> '' AND id = ?)",
    spec: 'test/edge/approvals.spec.ts',
    only: 'comes in pages',
  },
  {
    name: "a stranger in the user's room is taken for the user",
    file: 'src/edge/socket-census.ts',
    search: 'members.filter((socket) => socket && ownerOf(socket) === userId);',
    replace: 'members.filter((socket) => socket && ownerOf(socket) !== undefined);',
    spec: 'test/edge/isolation-report.spec.ts',
    only: "bob's socket",
  },
  {
    name: 'an engine without a permit is nothing to speak of',
    file: 'src/edge/isolation-check.service.ts',
    search: 'runs.length <= permitsInUse',
    replace: 'runs.length <= permitsInUse + 1',
    spec: 'test/edge/isolation-report.spec.ts',
    only: 'without a permit',
  },
  {
    name: 'any role opens the figures of operators',
    file: 'src/edge/admin/operator.decorator.ts',
    search: '!context.roles.includes(OPERATOR_ROLE)',
    replace: 'context.roles.length === 0',
    spec: 'test/edge/isolation-report.spec.ts',
    only: 'is for operators',
  },
  ...NODE_FAULTS,
  ...OPERATIONS_FAULTS,
  ...STEP_FAULTS,
  ...STORAGE_FAULTS,
  ...POSTGRES_FAULTS,
  ...REDIS_FAULTS,
  ...LLM_FAULTS,
  ...MODEL_FAULTS,
  ...TOOL_FAULTS,
  ...MCP_FAULTS,
  ...CRASH_FAULTS,
  ...BOUNDARY_FAULTS,
  ...CLIENT_FAULTS,
];
