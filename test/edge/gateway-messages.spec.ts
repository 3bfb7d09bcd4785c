import { CarrelError } from '../../src/shared/errors.js';
import { newId, type RunId } from '../../src/shared/ids.js';
import type { GatewayClient } from './gateway-client.js';
import { turns } from './gateway-journal.js';
import { GatewayServer } from './gateway-server.js';

const START = { agent: 'summarise', input: { text: 'hello' } };

describe('messages', () => {
  let server: GatewayServer;
  let alice: GatewayClient;
  let bob: GatewayClient;

  beforeEach(async () => {
    server = await GatewayServer.start({ env: { CARREL_BODY_LIMIT_BYTES: '4096' } });
    [alice, bob] = [await server.connect('alice'), await server.connect('bob')];
  });
  afterEach(() => server[Symbol.asyncDispose]());

  it('start a run for whoever the token names, each with a context of its own', async () => {
    const replies = await Promise.all([
      alice.send('run:start', { ...START, threadId: 't', metadata: { a: 1 }, idempotencyKey: 'k' }),
      alice.send('run:start', START),
      bob.send('run:start', { ...START, threadId: 't' }),
    ]);
    expect(replies[0]).toMatchObject({
      ok: true,
      data: { status: 'queued', agent: 'summarise', threadId: 't', input: START.input },
    });
    expect(Object.keys(replies[0]?.data as object)).not.toContain('userId');
    const calls = server.execution.submitted;
    expect(calls[0]?.request).toEqual({ ...START, threadId: 't', metadata: { a: 1 }, idempotencyKey: 'k' });
    expect(calls.map(({ context }) => context.userId).toSorted()).toEqual(['alice', 'alice', 'bob']);
    expect(new Set(calls.map(({ context }) => context)).size).toBe(3);
    expect(new Set(calls.map(({ context }) => context.requestId)).size).toBe(3);
    expect(calls[0]?.context.audit.clientIp).toMatch(/127\.0\.0\.1$/);
  });

  it('are begun in the order in which they came, also those sent before the connection was there', async () => {
    const late = server.client({ token: await server.token('carol') });
    const replies = Array.from({ length: 50 }, (_, i) => late.send('run:start', { ...START, input: i }));
    late.socket.connect();
    expect((await Promise.all(replies)).every(({ ok }) => ok)).toBe(true);
    expect(server.execution.submitted.map(({ request }) => request.input)).toEqual(
      Array.from({ length: 50 }, (_, i) => i),
    );
    expect(late.notices[0]?.name).toBe('ready');
  });

  it('pass on what the execution refuses', async () => {
    server.execution.failure = new CarrelError('queue_full', undefined, { retryAfterMs: 700 });
    expect(await alice.send('run:start', START)).toEqual({
      ok: false,
      error: { code: 'queue_full', message: 'Too many runs are waiting', retryAfterMs: 700 },
    });
  });

  it('tell nothing of what breaks inside', async () => {
    server.execution.failure = new Error('password=hunter2');
    const reply = await alice.send('run:start', START);
    expect(reply).toMatchObject({ ok: false, error: { code: 'internal' } });
    expect(JSON.stringify(reply)).not.toContain('hunter2');
  });

  it("answer another user's run exactly like one that never existed", async () => {
    const started = await bob.send('run:start', START);
    const { id } = started.data as { id: string };
    const [foreign, unknown, malformed] = [
      await alice.send('run:cancel', { runId: id }),
      await alice.send('run:cancel', { runId: newId('run') }),
      await alice.send('run:cancel', { runId: "run_' or 1=1" }),
    ];
    expect(foreign).toEqual({ ok: false, error: { code: 'not_found', message: 'there is no such run' } });
    expect(unknown).toEqual(foreign);
    expect(malformed).toEqual(foreign);
    expect(server.execution.cancelled).toHaveLength(0);
    expect(await bob.send('run:cancel', { runId: id, wait: true })).toMatchObject({
      ok: true,
      data: { id, status: 'cancelled' },
    });
    expect(server.execution.cancelled[0]?.wait).toBe(true);
  });

  it('name a pipeline, a delay, a priority and what to do about a busy thread', async () => {
    const pipeline = { steps: [{ name: 'a', agent: 'summarise' }] };
    const message = { pipeline, input: 1, priority: 3, delayMs: 1_000, onConflict: 'reject' };
    const reply = await alice.send('run:start', message);
    expect(reply).toMatchObject({ ok: true, data: { pipeline: 'inline', spec: pipeline, priority: 3 } });
    expect(reply.data).not.toHaveProperty('agent');
    expect(server.execution.submitted[0]?.request).toEqual(message);
  });

  it("answer alice's question once, and bob's for bob alone", async () => {
    const started = await alice.send('run:start', START);
    const { id: runId } = started.data as { id: RunId };
    const [first, second] = [server.approvals.ask('alice', runId), server.approvals.ask('alice', runId)];
    const several = await alice.send('run:resume', { runId, decision: 'approve' });
    expect(several).toMatchObject({ ok: false, error: { code: 'several_open_questions' } });

    const respond = { approvalId: first.id, decision: 'approve', answer: { a: 1 }, hash: first.hash };
    const foreign = await bob.send('approval:respond', respond);
    const unknown = await bob.send('approval:respond', { ...respond, approvalId: newId('apr') });
    expect(foreign).toEqual({ ok: false, error: { code: 'not_found', message: 'there is no such question' } });
    expect(unknown).toEqual(foreign);
    expect(await bob.send('approval:respond', { ...respond, approvalId: '__proto__' })).toEqual(foreign);
    const decided = await alice.send('approval:respond', respond);
    expect(decided).toMatchObject({ ok: true, data: { id: first.id, status: 'closed', decidedBy: 'alice' } });
    expect(decided.data).not.toHaveProperty('userId');
    expect(await alice.send('approval:respond', respond)).toMatchObject({ error: { code: 'approval_closed' } });

    const ofBob = await bob.send('run:resume', { runId, decision: 'approve' });
    expect(ofBob).toEqual({ ok: false, error: { code: 'not_found', message: 'there is no such run' } });
    const resumed = await alice.send('run:resume', { runId, decision: 'reject' });
    expect(resumed).toMatchObject({ ok: true, data: { id: runId } });
    expect(server.approvals.said.map(({ userId, approvalId, response }) => [userId, approvalId, response])).toEqual([
      ['alice', first.id, { decision: 'approve', answer: { a: 1 }, hash: first.hash }],
      ['alice', second.id, { decision: 'reject' }],
    ]);
    const again = await alice.send('run:resume', { runId, decision: 'approve' });
    expect(again).toMatchObject({ ok: false, error: { code: 'no_open_question' } });
  });

  it('answer no question of another run than they name', async () => {
    const [one, other] = [await alice.send('run:start', START), await alice.send('run:start', START)];
    const { id: runId } = one.data as { id: RunId };
    const asked = server.approvals.ask('alice', (other.data as { id: RunId }).id);
    const message = { runId, approvalId: asked.id, decision: 'approve' };
    expect(await alice.send('run:resume', message)).toMatchObject({ ok: false, error: { code: 'not_found' } });
    expect(server.approvals.said).toEqual([]);
    const { id } = other.data as { id: RunId };
    expect(await alice.send('run:resume', { ...message, runId: id })).toMatchObject({ ok: true, data: { id } });
  });

  it.each<[string, string, unknown[], string]>([
    ['no payload', 'run:start', [], 'invalid_request'],
    ['two payloads', 'run:start', [START, START], 'invalid_request'],
    ['a text', 'run:start', ['summarise'], 'invalid_request'],
    ['null', 'run:start', [null], 'invalid_request'],
    ['a list', 'run:start', [[START]], 'invalid_request'],
    ['something binary', 'run:start', [Buffer.from('x')], 'invalid_request'],
    ['a missing input', 'run:start', [{ agent: 'a' }], 'invalid_request'],
    ['an agent that is no text', 'run:start', [{ agent: ['a'], input: 1 }], 'invalid_request'],
    ['an unknown property', 'run:start', [{ ...START, userId: 'bob' }], 'invalid_request'],
    [
      'a prototype key',
      'run:start',
      [JSON.parse('{"agent":"a","input":1,"__proto__":{"userId":"bob"}}')],
      'invalid_request',
    ],
    ['a constructor key', 'run:cancel', [{ runId: 'x', constructor: 1 }], 'invalid_request'],
    ['a run id that is no text', 'run:cancel', [{ runId: 7 }], 'invalid_request'],
    ['a wait that is no boolean', 'run:cancel', [{ runId: 'x', wait: 'yes' }], 'invalid_request'],
    ['a pipeline that is none', 'run:start', [{ pipeline: 7, input: 1 }], 'invalid_request'],
    ['a priority that is no number', 'run:start', [{ ...START, priority: 'high' }], 'invalid_request'],
    ['half a priority', 'run:start', [{ ...START, priority: 0.5 }], 'invalid_request'],
    ['a conflict nobody knows', 'run:start', [{ ...START, onConflict: 'ignore' }], 'invalid_request'],
    ['a decision nobody can make', 'approval:respond', [{ approvalId: 'x', decision: 'expired' }], 'invalid_request'],
    ['a question that is no text', 'approval:respond', [{ approvalId: 1, decision: 'approve' }], 'invalid_request'],
    [
      'somebody who decides',
      'approval:respond',
      [{ approvalId: 'x', decision: 'approve', by: 'bob' }],
      'invalid_request',
    ],
    ['no decision', 'run:resume', [{ runId: 'x' }], 'invalid_request'],
    ['a negative position', 'stream:resume', [{ after: -1 }], 'invalid_request'],
    ['a position beyond the newest event', 'stream:resume', [{ after: 1 }], 'invalid_request'],
    ['a message of another protocol', 'runs.start', [START], 'unknown_event'],
    ['a name that every object has', 'constructor', [START], 'unknown_event'],
    ['an event of the server', 'agent_completed', [START], 'unknown_event'],
    ['the name "error"', 'error', [START], 'unknown_event'],
    ['an empty name', '', [START], 'unknown_event'],
    ['more than the limit', 'run:start', [{ agent: 'a', input: 'x'.repeat(5_000) }], 'payload_too_large'],
  ])('are refused with a clear error: %s', async (_, name, payloads, code) => {
    const reply = await alice.send(name, ...payloads);
    expect(reply).toMatchObject({ ok: false, error: { code, message: expect.stringMatching(/.{10}/) } });
    expect(server.execution.submitted).toHaveLength(0);
    expect(await alice.send('run:start', START)).toMatchObject({ ok: true });
    expect(Object.prototype).not.toHaveProperty('userId');
  });

  it.each<[string, string, unknown[], string]>([
    ['an unknown message', 'nonsense', [1], 'unknown_event'],
    ['a start', 'run:start', [START], 'invalid_request'],
    ['a start that is too large', 'run:start', [{ agent: 'a', input: 'x'.repeat(5_000) }], 'payload_too_large'],
    ['a start whose acknowledgement is not last', 'run:start', [() => {}, START], 'invalid_request'],
  ])('without an acknowledgement are answered by an exception: %s', async (_, name, payloads, code) => {
    (alice.socket as unknown as { emit(...args: unknown[]): void }).emit(name, ...payloads);
    expect(await alice.notice('exception')).toMatchObject({ code, event: name });
    expect(bob.notices.map((notice) => notice.name)).toEqual(['ready']);
    expect(server.execution.submitted).toHaveLength(0);
  });

  it('are refused when too many of a connection wait for their answers, and taken again later', async () => {
    const gate = Promise.withResolvers<void>();
    server.execution.gate = gate.promise;
    const { maxRunning, maxQueued } = server.config.lane;
    const room = maxRunning + maxQueued + 16;
    const replies = Array.from({ length: room + 3 }, () => alice.send('run:start', START));
    const refused = await Promise.all(replies.slice(room));
    expect(refused.map(({ error }) => error?.code)).toEqual(['rate_limited', 'rate_limited', 'rate_limited']);
    gate.resolve();
    expect((await Promise.all(replies.slice(0, room))).every(({ ok }) => ok)).toBe(true);
    expect(await alice.send('run:start', START)).toMatchObject({ ok: true });
  });

  it('end the connection of a client that sends on and never reads the answers', async () => {
    alice.tcp.pause();
    const gone = server.whenGone('alice').then(() => 'gone');
    const input = 'x'.repeat(3_000);
    const send = async () => {
      for (let i = 0; i < 20; i++) alice.socket.emit('run:start', { agent: 'a', input }, () => {});
      await turns(4);
      return 'still there';
    };
    while ((await Promise.race([gone, send()])) !== 'gone');
    expect(await bob.send('run:start', START)).toMatchObject({ ok: true });
  });

  it('that break the protocol end the connection, and nothing else', async () => {
    for (const packet of ['42/agents,["disconnect"]', '42/agents,{"not":"a list"}', '49', `42${'x'.repeat(5_000)}`]) {
      const raw = await server.raw();
      raw.send(`40/agents,${JSON.stringify({ token: alice.token })}`);
      await raw.received((text) => text.startsWith('42/agents,["ready"'));
      raw.send(packet);
      await raw.closed;
    }
    expect(await alice.send('run:start', START)).toMatchObject({ ok: true });
  });

  it('are not taken before the handshake is over', async () => {
    const raw = await server.raw();
    raw.send(`40/agents,${JSON.stringify({ token: alice.token })}`);
    raw.send(`42/agents,1["run:start",${JSON.stringify(START)}]`);
    await raw.closed;
    expect(server.execution.submitted).toHaveLength(0);
  });

  it('keep a connection only as long as its socket is there', async () => {
    const raw = await server.raw();
    raw.send(`40/agents,${JSON.stringify({ token: alice.token })}`);
    await raw.received((text) => text.startsWith('42/agents,["ready"'));
    raw.send('41/agents,');
    await raw.closed;
    expect(server.io.of('/agents').sockets.size).toBe(2);
  });

  it('need one socket only: a connection cannot have two', async () => {
    const raw = await server.raw();
    raw.send(`40/agents,${JSON.stringify({ token: alice.token })}`);
    raw.send(`40/agents,${JSON.stringify({ token: bob.token })}`);
    const refused = await raw.received((text) => text.startsWith('44/agents'));
    expect(refused).toContain('invalid_request');
    await raw.received((text) => text.startsWith('42/agents,["ready",{"userId":"alice"'));
    server.journal.commit('bob', 1);
    server.journal.commit('alice', 1);
    expect(await raw.received((text) => text.startsWith('42/agents,["agent_'))).toContain('alice 1');
  });
});
