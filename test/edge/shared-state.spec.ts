import fc from 'fast-check';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MAX_CALL_SITES, SHARED_STATE_WARNING } from '../../src/edge/shared-state-warnings.service.js';
import { CarrelProcess } from '../carrel-process.js';
import { CarrelServer, type CarrelUser, type RunJson } from '../carrel-server.js';
import { ScriptedAgentsModule } from '../scripted-agents.module.js';

type Body = RunJson & {
  code?: string;
  detail?: string;
  issues?: { path: string }[];
  metadata: Record<string, unknown>;
};

const DOOR = '/v1/legacy/execute';
const SOME_TEXT = 'A carrel is a desk. It stands in a library. Each reader has one.';

describe('a call with a shared state object', () => {
  let server: CarrelServer;
  let alice: CarrelUser;
  let bob: CarrelUser;

  beforeAll(async () => {
    server = await CarrelServer.start({
      agents: [ScriptedAgentsModule],
      env: { CARREL_ACCEPT_SHARED_STATE: 'true', CARREL_JSON_DEPTH: '4' },
    });
    [alice, bob] = await Promise.all([server.as('alice'), server.as('bob')]);
  });
  afterAll(() => server.close());

  const call = (user: CarrelUser, body: unknown, headers: Record<string, string> = {}) =>
    user.http<Body>('POST', DOOR, body, headers);
  const runsOf = async (user: CarrelUser) =>
    (await user.http<{ items: Body[] }>('GET', '/v1/runs?limit=100')).body.items;

  it('is a run like any other, of whoever the token names', async () => {
    const state = {
      user_request: 'a question',
      chat_thread_id: 'chat-1',
      run_id: 'run_1',
      user_id: 'alice',
      metadata: { a: null },
    };
    const { status, body, headers } = await call(alice, { agent_name: 'echo', state }, { prefer: 'wait=10' });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      status: 'completed',
      agent: 'echo',
      threadId: 'chat-1',
      input: { text: 'a question' },
      metadata: { a: null, legacyRunId: 'run_1' },
      result: { text: 'a question', userId: 'alice', runId: body.id },
    });
    expect(headers.get('location')).toBe(`/v1/runs/${body.id}`);
    expect((await alice.http('GET', `/v1/runs/${body.id}`)).body).toEqual(body);
  });

  it('is answered with Deprecation and a link to the guide, refused or not', async () => {
    const state = { user_request: 'x' };
    for (const agent_name of ['echo', 'nobody']) {
      const { headers, status } = await call(alice, { agent_name, state });
      expect(status).toBe(agent_name === 'echo' ? 202 : 422);
      const since = Number(/^@(\d+)$/.exec(headers.get('deprecation') ?? '')?.[1]) * 1_000;
      expect(since).toBeLessThanOrEqual(new Date('2026-11-22T00:00:00Z').getTime());
      const [, path] = /^<([^>]+)>; rel="deprecation"/.exec(headers.get('link') ?? '') ?? [];
      const guide = await fetch(server.url + path);
      expect(guide.status).toBe(200);
      expect(await guide.text()).toContain('<code>metadata.legacyRunId</code>');
    }
  });

  it('has the input that the state gives, and the rest of it as metadata', async () => {
    const state = {
      user_request: 'kept as a note',
      agent_input: { text: 'the input' },
      thread_id: 'chat-2',
      chat_thread_id: null,
      final_answer: 'of an earlier agent',
      step_count: 3,
      request_id: 'req-9',
      websocket_client_id: 'ws-1',
      metadata: { source: 'chat' },
    };
    const { body } = await call(bob, { agent: 'echo', state }, { prefer: 'wait=10' });
    expect(body).toMatchObject({ input: { text: 'the input' }, threadId: 'chat-2', status: 'completed' });
    expect(body.metadata).toEqual({
      source: 'chat',
      user_request: 'kept as a note',
      final_answer: 'of an earlier agent',
      step_count: 3,
      legacyRequestId: 'req-9',
    });
  });

  it('that names another user is forbidden, tells nothing of them, and stores nothing', async () => {
    const before = [await runsOf(alice), await runsOf(bob)];
    for (const user_id of ['bob', 'ALICE', '', 0, {}, ['alice'], 'nobody']) {
      const state = { user_request: 'x', user_id, unknown_field: 1 };
      const { status, body, text } = await call(alice, { agent_name: 'nobody', state });
      expect([status, body.code]).toEqual([403, 'forbidden']);
      expect(text).not.toContain('bob');
    }
    expect([await runsOf(alice), await runsOf(bob)]).toEqual(before);
  });

  it("never takes the state's run id for a run, and keeps threads of one id apart", async () => {
    const first = await call(alice, { agent: 'echo', state: { user_request: 'mine', chat_thread_id: 'same' } });
    const state = { user_request: 'another', chat_thread_id: 'same', run_id: first.body.id };
    const { body } = await call(bob, { agent: 'echo', state }, { prefer: 'wait=10' });
    expect(body.id).not.toBe(first.body.id);
    expect(body.result).toMatchObject({ text: 'another', userId: 'bob' });
    for (const [user, id] of [
      [alice, first.body.id],
      [bob, body.id],
    ] as const) {
      const { body: page } = await user.http<{ items: Body[] }>('GET', '/v1/threads/same/runs');
      expect(page.items.map((run) => run.id)).toEqual([id]);
    }
  });

  it.each<[string, unknown, string]>([
    ['a field that is not in the table', { triage_result: {} }, 'state.triage_result'],
    ['several, each by its name', { a: 1, user_request: 1 }, 'state.user_request'],
    ['a field that could reach a prototype', { toString: 1 }, 'state.toString'],
    ['what the token says', { roles: ['admin'] }, 'state.roles'],
    ['a session', { db_session: {} }, 'state.db_session'],
    ['a request that is no text', { user_request: ['x'] }, 'state.user_request'],
    ['nothing to do', { user_request: null }, 'state.user_request'],
    ['two threads', { thread_id: 'a', chat_thread_id: 'b' }, 'state.thread_id'],
    ['a thread that is none', { chat_thread_id: '../x' }, 'state.chat_thread_id'],
    ['metadata that is none', { metadata: ['x'] }, 'state.metadata'],
    ['two notes in one place', { run_id: 'a', metadata: { legacyRunId: 'b' } }, 'state.run_id'],
  ])('is refused, by name, with %s', async (_what, fields, path) => {
    const before = await runsOf(alice);
    const { status, body } = await call(alice, { agent: 'echo', state: { user_request: 'x', ...(fields as object) } });
    expect([status, body.code]).toEqual([400, 'invalid_request']);
    expect(body.issues?.map((issue) => issue.path)).toContain(path);
    expect(await runsOf(alice)).toEqual(before);
  });

  it.each<[string, unknown, number, string]>([
    ['no state', { agent: 'echo' }, 400, 'invalid_request'],
    ['no agent', { state: { user_request: 'x' } }, 400, 'invalid_request'],
    ['two agents', { agent: 'echo', agent_name: 'wait', state: { user_request: 'x' } }, 400, 'invalid_request'],
    [
      'a field beside the state',
      { agent: 'echo', user_id: 'bob', state: { user_request: 'x' } },
      400,
      'invalid_request',
    ],
    ['a list', [], 400, 'invalid_request'],
    [
      'a reserved note',
      { agent: 'echo', state: { user_request: 'x', metadata: { userId: 'bob' } } },
      400,
      'invalid_request',
    ],
    [
      'deep notes',
      { agent: 'echo', state: { user_request: 'x', metadata: { a: [[[[[1]]]]] } } },
      400,
      'invalid_request',
    ],
    ['an unknown agent', { agent: 'nobody', state: { user_request: 'x' } }, 422, 'unknown_agent'],
    ['an input that does not fit', { agent: 'echo', state: { agent_input: { text: 1 } } }, 422, 'invalid_input'],
  ])('is refused with %s', async (_what, body, status, code) => {
    const before = await runsOf(alice);
    const answer = await call(alice, body);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    expect(await runsOf(alice)).toEqual(before);
  });

  it('gives the same run for the same idempotency key', async () => {
    const state = { user_request: 'once' };
    const key = { 'idempotency-key': 'legacy-1' };
    const [first, second] = [
      await call(alice, { agent: 'echo', state }, key),
      await call(alice, { agent: 'echo', state }, key),
    ];
    expect(second.body.id).toBe(first.body.id);
    expect(second.headers.get('idempotency-replayed')).toBe('true');
    expect((await call(alice, { agent: 'echo', state: { user_request: 'twice' } }, key)).status).toBe(409);
  });

  it('gets an answer in the shape of the contract, whatever is in the state', async () => {
    const name = fc.oneof(
      fc.constantFrom('user_request', 'agent_input', 'user_id', 'metadata', '__proto__', 'run_id'),
      fc.string(),
    );
    const body = fc.record(
      {
        agent: fc.constantFrom<unknown>('echo', 'nobody', 1, null),
        state: fc.oneof(fc.dictionary(name, fc.jsonValue()), fc.jsonValue()),
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(body, async (sent) => {
        const { status, body: answer } = await call(bob, sent);
        if (status === 202) expect(answer.id).toMatch(/^run_/);
        else expect([status < 500, answer.code]).toEqual([true, expect.stringMatching(/^[a-z_]+$/)]);
      }),
      { numRuns: 60 },
    );
  });
});

describe('the operator', () => {
  it('is warned once for each program and agent, of a bounded number of them', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'carrel-shared-state-'));
    const env = { CARREL_ACCEPT_SHARED_STATE: 'true', CARREL_LOG_LEVEL: 'silent', CARREL_USER_MAX_QUEUED: '1000' };
    const server = await CarrelProcess.start(dataDir, { env });
    try {
      const [alice, bob] = await Promise.all([server.as('alice'), server.as('bob')]);
      const call = (user: CarrelUser, agent: string, program: string, input: object = { text: SOME_TEXT }) =>
        user.http('POST', DOOR, { agent, state: { agent_input: input } }, { 'user-agent': program });
      for (const user of [alice, bob, alice]) {
        await call(user, 'summarise', 'old-app/1.0');
        await call(user, 'compare', 'old-app/1.0', { left: { text: SOME_TEXT }, right: { text: SOME_TEXT } });
        await call(user, 'nobody', 'old-app/1.0');
      }
      for (let i = 0; i < MAX_CALL_SITES + 5; i++) await call(i % 2 ? alice : bob, 'summarise', `bot-${i}`);
      await server.line(/Further callers will not be named/);
      const warned = server.output.filter((line) => line.includes(`[${SHARED_STATE_WARNING}] DeprecationWarning`));
      expect(warned).toHaveLength(MAX_CALL_SITES);
      const named = warned.filter((line) => line.includes('"old-app/1.0"'));
      expect(named.map((line) => /runs "(\w+)"/.exec(line)?.[1])).toEqual(['summarise', 'compare']);
    } finally {
      await server.stop();
      await rm(dataDir, { recursive: true, force: true });
    }
  });
});

describe('a server that was not told to take shared state objects', () => {
  it('answers as if there were no such door', async () => {
    await using server = await CarrelServer.start();
    const alice = await server.as('alice');
    const body = { agent: 'summarise', state: { user_request: 'x', user_id: 'bob' } };
    const answers = [];
    for (const path of [DOOR, '/v1/legacy/anything']) {
      for (const method of ['POST', 'GET']) {
        const { status, body: problem, headers } = await alice.http(method, path, method === 'POST' ? body : undefined);
        expect([status, headers.get('deprecation')]).toEqual([404, null]);
        answers.push(JSON.stringify({ ...problem, requestId: '' }).replaceAll(path, ''));
      }
    }
    expect(new Set(answers.map((answer) => answer.replaceAll(/GET|POST/g, ''))).size).toBe(1);
  });
});
