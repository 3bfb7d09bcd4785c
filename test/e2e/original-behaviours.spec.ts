import { ExecutionEngineFactory } from '../../src/execution/execution-engine.factory.js';
import { ExecutionService } from '../../src/execution/execution.service.js';
import type { UserExecutionContext } from '../../src/context/user-execution-context.js';
import type { RunEvent } from '../../src/events/run-event.js';
import type { RequestId } from '../../src/shared/ids.js';
import { CarrelServer, isTerminal, type CarrelUser, type RecordingSocket, type RunJson } from '../carrel-server.js';
import { Gate } from '../execution/engine-host.js';
import { contextOf, contexts, engineFor, gates, inputs, OriginalModule, type FullRun } from './original-agents.js';

/**
 * What the original's nine migration tests and nine validation tests were about, held of the real engine: over HTTP and
 * sockets, and as code. docs/coverage.md names each of them.
 */

let server: CarrelServer;
let alice: CarrelUser;
let bob: CarrelUser;
let sockets: { alice: RecordingSocket; bob: RecordingSocket };

beforeAll(async () => {
  const env = { CARREL_ACCEPT_SHARED_STATE: 'true', CARREL_USER_MAX_RUNNING: '5' };
  server = await CarrelServer.start({ agents: [OriginalModule], env });
  [alice, bob] = await Promise.all([server.as('alice'), server.as('bob')]);
  sockets = { alice: await alice.connect({ after: 0 }), bob: await bob.connect({ after: 0 }) };
});

afterAll(() => server.close());

beforeEach(() => {
  contexts.length = 0;
  inputs.length = 0;
});

async function execute(user: CarrelUser, input: object, more: object = {}, headers: Record<string, string> = {}) {
  const body = { agent: 'process', input, ...more };
  const answer = await user.http<FullRun>('POST', '/v1/runs', body, { prefer: 'wait=20', ...headers });
  expect([answer.status, answer.text]).toEqual([200, expect.any(String)]);
  return answer.body;
}

async function eventsOf(user: 'alice' | 'bob', runId: string): Promise<RunEvent[]> {
  await sockets[user].until((event) => event.runId === runId && isTerminal(event));
  return sockets[user].events.filter((event) => event.runId === runId);
}

describe("the original's migration tests, of the real engine", () => {
  it('gives alice and bob contexts of their own: other ids, other metadata, a time of their own', async () => {
    const more = { threadId: 'same', metadata: { note: 'same' } };
    await Promise.all([execute(alice, {}, more), execute(bob, {}, more)]);
    const [one, other] = contexts as [UserExecutionContext, UserExecutionContext];
    for (const key of ['userId', 'requestId', 'runId'] as const) expect(one[key]).not.toEqual(other[key]);
    expect(one.metadata).toEqual({ note: 'same' });
    expect(one.metadata).not.toBe(other.metadata);
    expect(one.createdAt).toBeInstanceOf(Date);
    expect([one, other].every((context) => Object.isFrozen(context.metadata))).toBe(true);
  });

  it('derives whom and what an agent works for from the context of whoever asked', async () => {
    const run = await execute(alice, { task: 'x' }, { threadId: 'talk' }, { 'x-request-id': 'asked-by-alice' });
    expect(contexts[0]).toMatchObject({
      userId: 'alice',
      requestId: 'asked-by-alice' as RequestId,
      threadId: 'talk',
      runId: run.id,
      attempt: 1,
    });
  });

  it('gives a result that carries its context, and data or an error, never both', async () => {
    const good = engineFor(server, 'alice');
    const bad = engineFor(server, 'bob');
    const [success, failure] = await Promise.all([
      good.engine.executeAgent('process', { task: 'a' }),
      bad.engine.executeAgent('process', { fails: true }),
    ]);
    expect(success).toMatchObject({ status: 'completed', result: { executionResult: 'Processed: a' } });
    expect(success).not.toHaveProperty('error');
    expect(success.context).toBe(good.context);
    expect(failure).toMatchObject({ status: 'failed', error: { code: 'agent_failed', retryable: true } });
    expect(failure).not.toHaveProperty('result');
    expect(failure.context).toBe(bad.context);
    await Promise.all([good, bad].map(({ engine }) => engine[Symbol.asyncDispose]()));
  });

  it("reads alice's metadata and answer back where they are hers, and nowhere in what is bob's", async () => {
    const metadata = { user_prompt: "alice's prompt" };
    const hers = await execute(alice, { task: "alice's task" }, { metadata });
    const his = await execute(bob, { task: 'other' });
    const { body } = await alice.http<FullRun>('GET', `/v1/runs/${hers.id}`);
    expect(body).toMatchObject({ metadata, result: { prompt: "alice's prompt" } });
    expect(his).toMatchObject({ metadata: {}, result: { prompt: null } });
    const { text } = await bob.http('GET', '/v1/events?after=0&limit=200');
    expect(text).not.toMatch(/alice/);
  });

  it('keeps run and user in started and completed, which only their own user hears', async () => {
    const [hers, his] = await Promise.all([execute(alice, { task: 'a' }), execute(bob, { task: 'b' })]);
    for (const [name, run] of [
      ['alice', hers],
      ['bob', his],
    ] as const) {
      const events = await eventsOf(name, run.id);
      expect(events[0]).toMatchObject({ type: 'agent_started', runId: run.id, data: { isolated: true } });
      expect(events.at(-1)).toMatchObject({ type: 'agent_completed', runId: run.id, threadId: run.threadId });
      expect(await sockets[name].ready).toMatchObject({ userId: name });
    }
    expect(sockets.alice.events.some(({ runId }) => runId === his.id)).toBe(false);
    expect(sockets.bob.events.some(({ runId }) => runId === hers.id)).toBe(false);
  });

  it('takes input and context where there was one shared state, and the old call still works', async () => {
    const state = { agent_input: { task: 'old' }, chat_thread_id: 'chat', metadata: { user_prompt: 'p' } };
    const call = { agent_name: 'process', state };
    const old = await alice.http<FullRun>('POST', '/v1/legacy/execute', call, { prefer: 'wait=20' });
    const now = await execute(alice, { task: 'old' }, { threadId: 'chat', metadata: { user_prompt: 'p' } });
    expect(old.body).toMatchObject({ status: now.status, result: now.result, threadId: now.threadId });
    expect(contexts.map(({ userId, metadata }) => [userId, metadata])).toEqual([
      ['alice', { user_prompt: 'p' }],
      ['alice', { user_prompt: 'p' }],
    ]);
  });

  it('carries out an asynchronous agent, whose result can be read when it has ended', async () => {
    const { run } = await server.app
      .get(ExecutionService)
      .submit(contextOf('alice'), { agent: 'process', input: { task: 'a letter' } });
    expect(await alice.end(run.id)).toMatchObject({
      status: 'completed',
      result: { executionResult: 'Processed: a letter' },
    });
  });

  it('says of a failure what went wrong, keeps whose it was, and tells bob nothing', async () => {
    const run = await execute(alice, { task: 'a', fails: true }, { threadId: 'kept' });
    expect(run).toMatchObject({ status: 'failed', threadId: 'kept', error: { code: 'agent_failed' } });
    expect(run).not.toHaveProperty('result');
    const events = await eventsOf('alice', run.id);
    expect(events.at(-1)).toMatchObject({ type: 'agent_error', threadId: 'kept', data: { error: run.error } });
    expect(JSON.stringify([run, events])).not.toMatch(/secret of/);
    expect(await bob.http('GET', `/v1/runs/${run.id}`)).toMatchObject({ status: 404 });
  });

  it('makes no engine for nobody, and another one for each user, within the limits of the configuration', async () => {
    const answer = await fetch(`${server.url}/v1/runs`, { method: 'POST' });
    expect([answer.status, await answer.json()]).toEqual([401, expect.objectContaining({ code: 'unauthenticated' })]);
    const [one, other] = [engineFor(server, 'alice'), engineFor(server, 'bob')];
    expect(one.engine).not.toBe(other.engine);
    expect([one.engine.context.userId, other.engine.context.userId]).toEqual(['alice', 'bob']);
    expect((await alice.http('GET', '/v1/me/limits')).body).toMatchObject({ limits: { maxRunning: 5 } });
    expect(server.config.runs.attemptTimeoutMs).toBe(30_000);
    await Promise.all([one, other].map(({ engine }) => engine[Symbol.asyncDispose]()));
  });
});

describe("the original's validation tests, of the real engine", () => {
  it('carries a run out with its times, one started and one completed event, and leaves nothing open', async () => {
    const run = await execute(alice, { task: 'timed' });
    const events = await eventsOf('alice', run.id);
    expect(events.map(({ type }) => type)).toEqual(['agent_started', 'agent_thinking', 'agent_completed']);
    expect(events.at(-1)!.data).toMatchObject({ durationMs: expect.any(Number) });
    expect(run.startedAt <= run.endedAt).toBe(true);
    expect(server.held).toEqual({ liveContexts: 0, active: 0 });
  });

  it('has each run done by one engine of its own, used once and disposed of once', async () => {
    const factory = server.app.get(ExecutionEngineFactory);
    const before = factory.report();
    await Promise.all([execute(alice, { task: 'a' }), execute(bob, { task: 'b' })]);
    const after = factory.report();
    expect([after.created - before.created, after.disposed - before.disposed]).toEqual([2, 2]);
    expect(inputs).toHaveLength(2);
    const { engine } = engineFor(server, 'alice');
    await engine.executeAgent('process', { task: 'once' });
    await expect(engine.executeAgent('process', { task: 'twice' })).rejects.toMatchObject({ code: 'context_disposed' });
    await engine[Symbol.asyncDispose]();
  });

  it('says what alice has under way while she has it, and nothing of it to bob', async () => {
    const gate = new Gate();
    gates.set('alice', gate);
    const { id } = await alice.start('held', { task: 'a' });
    await gate.reached;
    expect((await alice.http('GET', '/v1/me/isolation')).body).toMatchObject({
      isolated: true,
      runs: [id],
      liveContexts: 1,
      permits: { inUse: 1, max: 5 },
    });
    expect((await bob.http('GET', '/v1/me/isolation')).body).toMatchObject({ runs: [], liveContexts: 0 });
    gate.open();
    await alice.end(id);
    expect((await alice.http('GET', '/v1/me/isolation')).body).toMatchObject({ runs: [], permits: { inUse: 0 } });
  });

  it('calls an agent that needs no tool exactly once, with its input as it came', async () => {
    const run = await execute(alice, { task: 'no tool' });
    expect(inputs).toEqual([{ task: 'no tool', fails: false }]);
    expect((await eventsOf('alice', run.id)).some(({ type }) => type.startsWith('tool_'))).toBe(false);
  });

  it('tells started and completed whole: envelope and data, numbered for each user without a gap', async () => {
    const run = await execute(bob, { task: 'b' });
    const events = await eventsOf('bob', run.id);
    for (const event of events) {
      expect(event).toMatchObject({ v: 1, runId: run.id, threadId: run.threadId, agent: 'process', attempt: 1 });
      expect(event.id).toMatch(/^evt_/);
    }
    expect(events.map(({ runSeq }) => runSeq)).toEqual([1, 2, 3]);
    expect(events[0]!.data).toMatchObject({ agent: 'process', input: { task: 'b' } });
    expect(events.at(-1)!.data).toMatchObject({ status: 'completed', result: { executionResult: 'Processed: b' } });
    const { events: all } = sockets.bob;
    expect(all.map(({ seq }) => seq)).toEqual(all.map((_, i) => i + 1));
  });

  it('has one shape of result for agents and pipelines, over HTTP, sockets and in code', async () => {
    const overHttp = await execute(alice, { task: 'same' });
    const ack = await sockets.alice.emit<RunJson>('run:start', { agent: 'process', input: { task: 'same' } });
    const overSocket = await alice.end(ack.ok ? ack.data.id : '');
    const inCode = await server.app
      .get(ExecutionService)
      .execute(contextOf('alice'), { agent: 'process', input: { task: 'same' } });
    const result = { executionResult: 'Processed: same', prompt: null };
    for (const run of [overHttp, overSocket, inCode]) expect(run).toMatchObject({ status: 'completed', result });
    const pipeline = { steps: [{ name: 'only', agent: 'process' }] };
    const whole = await execute(alice, { task: 'same' }, { agent: undefined, pipeline });
    expect(whole).toMatchObject({ status: 'completed', result: { output: result, steps: [{ step: 'only', result }] } });
    expect(Object.keys(whole).filter((key) => !['pipeline', 'spec'].includes(key))).toEqual(
      Object.keys(overHttp).filter((key) => key !== 'agent'),
    );
  });

  it('mixes alice and bob nowhere: context, audit facts, thread, metadata, events', async () => {
    const more = (name: string) => ({ threadId: 'one-name', metadata: { agent_context: name } });
    const headers = (name: string) => ({ 'user-agent': `browser of ${name}` });
    const [hers, his] = await Promise.all([
      execute(alice, { task: 'a' }, more('alice'), headers('alice')),
      execute(bob, { task: 'b' }, more('bob'), headers('bob')),
    ]);
    for (const context of contexts) {
      expect(context.metadata).toEqual({ agent_context: context.userId });
      expect(context.audit.userAgent).toBe(`browser of ${context.userId}`);
    }
    expect(new Set(contexts.map(({ userId }) => userId)).size).toBe(2);
    const threads = await Promise.all([alice, bob].map((user) => user.http('GET', '/v1/threads/one-name/runs')));
    expect(threads.map(({ body }) => (body['items'] as RunJson[]).map(({ id }) => id))).toEqual([[hers.id], [his.id]]);
    expect(JSON.stringify(await eventsOf('alice', hers.id))).not.toMatch(/Processed: b/);
  });

  it('counts what the factory makes, for operators, while alice and bob run', async () => {
    const operator = { authorization: `Bearer ${await server.token('olga', { roles: ['carrel:operator'] })}` };
    const figures = async () =>
      (await (await fetch(`${server.url}/v1/admin/execution`, { headers: operator })).json()) as {
        runs: { active: number };
        engines: { created: number; active: number; disposed: number };
      };
    const before = await figures();
    for (const name of ['alice', 'bob']) gates.set(name, new Gate());
    const runs = [await alice.start('held', {}), await bob.start('held', {})];
    await Promise.all([...gates.values()].map(({ reached }) => reached));
    const during = await figures();
    expect(during).toMatchObject({ runs: { active: 2 }, engines: { active: 2 } });
    expect(during.engines.created - before.engines.created).toBe(2);
    for (const gate of gates.values()) gate.open();
    await Promise.all([alice.end(runs[0]!.id), bob.end(runs[1]!.id)]);
    expect((await figures()).engines).toMatchObject({ active: 0, disposed: during.engines.created });
    expect(await alice.http('GET', '/v1/admin/execution')).toMatchObject({ status: 403 });
  });

  it('gives an agent a context with all its fields', async () => {
    const run = await execute(alice, {}, { metadata: { a: 1 } }, { 'x-request-id': 'asked' });
    expect(contexts[0]!.toJSON()).toEqual({
      userId: 'alice',
      requestId: 'asked',
      roles: [],
      threadId: run.threadId,
      runId: run.id,
      parentRunId: undefined,
      operations: [],
      depth: 0,
      attempt: 1,
      createdAt: run.createdAt,
      deadline: expect.stringMatching(/^\d{4}-/),
      correlationId: expect.stringContaining(run.id.slice(-8)),
      metadataKeys: ['a'],
    });
  });
});
