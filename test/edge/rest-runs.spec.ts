import { EventBus } from '../../src/events/event-bus.js';
import { newId } from '../../src/shared/ids.js';
import { CarrelServer, type CarrelUser, type RunJson } from '../carrel-server.js';
import { ScriptedAgentsModule } from '../scripted-agents.module.js';
import { DocumentedClient } from './documented-client.js';

let server: CarrelServer;
let client: DocumentedClient;
let alice: CarrelUser;
let bob: CarrelUser;

beforeAll(async () => {
  server = await CarrelServer.start({ agents: [ScriptedAgentsModule], env: { CARREL_BODY_LIMIT_BYTES: '65536' } });
  client = await DocumentedClient.of(server);
  alice = await server.as('alice');
  bob = await server.as('bob');
});
afterAll(() => server.close());

async function start(user: CarrelUser, body: object, headers: Record<string, string> = {}) {
  return client.call('post', '/v1/runs', { token: user.token, body, headers });
}

const echo = (text: string) => ({ agent: 'echo', input: { text } });

describe('POST /v1/runs', () => {
  it('accepts a run and says where it is', async () => {
    const accepted = await start(alice, { ...echo('hello'), threadId: 'thread-1', metadata: { from: 'a test' } });
    expect(accepted.status).toBe(202);
    expect(accepted.body).toMatchObject({ agent: 'echo', threadId: 'thread-1', metadata: { from: 'a test' } });
    const location = accepted.get('location') ?? '';
    expect(location).toBe(`/v1/runs/${(accepted.body as RunJson).id}`);
    await alice.end((accepted.body as RunJson).id);
    const { body } = await client.call('get', location, { token: alice.token });
    expect(body).toMatchObject({ status: 'completed', result: { text: 'hello', userId: 'alice' }, attempt: 1 });
    expect(Object.keys(body as object)).not.toEqual(expect.arrayContaining(['userId']));
  });

  it('answers with the result when the caller prefers to wait and it comes in time', async () => {
    const ended = await start(alice, echo('wait for me'), { prefer: 'respond-async, wait=20' });
    expect(ended.status).toBe(200);
    expect(ended.get('preference-applied')).toBe('wait=20');
    expect(ended.body).toMatchObject({ status: 'completed', result: { text: 'wait for me' } });
  });

  it('answers with the run as it is when the time is over', async () => {
    const later = await start(alice, { agent: 'wait', input: { ms: 10_000 } }, { prefer: 'wait=1' });
    expect(later.status).toBe(202);
    expect(later.body).toMatchObject({ status: 'running' });
    await client.call('post', `/v1/runs/${(later.body as RunJson).id}/cancel`, { token: alice.token });
  });

  it.each([
    ['wait=9999', 'wait=60'],
    ['wait="2"; foo', 'wait=2'],
    ['wait=-1', undefined],
    ['wait=soon', undefined],
    ['return=minimal', undefined],
    ['wait=0', undefined],
  ])('takes the preference %s as %s', async (prefer, applied) => {
    const { headers } = await start(alice, echo('prefer'), { prefer });
    expect((headers as Record<string, string>)['preference-applied']).toBe(applied);
  });

  it('gives the same run for the same key and request, and says so', async () => {
    const key = { 'idempotency-key': 'order-1' };
    const first = await start(alice, echo('once'), key);
    const again = await start(alice, echo('once'), key);
    const other = await start(alice, echo('twice'), key);
    const bobs = await start(bob, echo('once'), key);
    expect((again.body as RunJson).id).toBe((first.body as RunJson).id);
    expect([first, again, bobs].map((answer) => answer.get('idempotency-replayed'))).toEqual([
      undefined,
      'true',
      undefined,
    ]);
    expect(other.body).toMatchObject({ status: 409, code: 'idempotency_conflict' });
    expect((bobs.body as RunJson).id).not.toBe((first.body as RunJson).id);
  });
});

describe('a run that is asked for wrongly', () => {
  const deep = (depth: number): unknown => (depth === 0 ? 1 : { a: deep(depth - 1) });
  const refused: [string, unknown, string, Record<string, string>?][] = [
    ['no agent', { input: {} }, 'invalid_request'],
    ['an agent that is no text', { agent: 7, input: {} }, 'invalid_request'],
    ['an empty agent', { agent: '', input: {} }, 'invalid_request'],
    ['an unknown agent', { agent: 'nobody', input: {} }, 'unknown_agent'],
    ['an agent named like a method', { agent: 'constructor', input: {} }, 'unknown_agent'],
    ['no input', { agent: 'echo' }, 'invalid_request'],
    ['an input of the wrong shape', { agent: 'echo', input: { text: 7 } }, 'invalid_input'],
    ['an input that is too deep', { agent: 'echo', input: deep(50) }, 'invalid_input'],
    ['a property nobody knows', { ...echo('x'), pipeline: 'p' }, 'invalid_request'],
    ['another user', { ...echo('x'), userId: 'bob' }, 'invalid_request'],
    ['a thread that is null', { ...echo('x'), threadId: null }, 'invalid_request'],
    ['a thread with a blank', { ...echo('x'), threadId: 'a b' }, 'invalid_request'],
    ['a thread that is too long', { ...echo('x'), threadId: 'x'.repeat(129) }, 'invalid_request'],
    ['metadata that is a list', { ...echo('x'), metadata: [1] }, 'invalid_request'],
    ['metadata with a reserved key', { ...echo('x'), metadata: { userId: 'bob' } }, 'invalid_request'],
    ['metadata that is too large', { ...echo('x'), metadata: { text: 'x'.repeat(20_000) } }, 'invalid_request'],
    ['a list', [echo('x')], 'invalid_request'],
    ['a null', 'null', 'invalid_request', { 'content-type': 'application/json' }],
    ['a text', '"echo"', 'invalid_request', { 'content-type': 'application/json' }],
    ['half a JSON', '{"agent":', 'invalid_request', { 'content-type': 'application/json' }],
    ['nothing', '', 'invalid_request', { 'content-type': 'application/json' }],
    [
      '__proto__',
      '{"agent":"echo","input":{"__proto__":{"a":1}}}',
      'invalid_request',
      { 'content-type': 'application/json' },
    ],
    [
      'constructor',
      '{"agent":"echo","input":{},"constructor":{"prototype":{}}}',
      'invalid_request',
      { 'content-type': 'application/json' },
    ],
    [
      'a constructor of its own',
      '{"agent":"echo","input":{},"constructor":1}',
      'invalid_request',
      { 'content-type': 'application/json' },
    ],
    ['a text by its type', '{"agent":"echo"}', 'unsupported_media_type', { 'content-type': 'text/plain' }],
    ['a form', 'agent=echo', 'unsupported_media_type', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['XML', '<agent/>', 'unsupported_media_type', { 'content-type': 'application/xml' }],
    ['a body that is too large', { agent: 'echo', input: { text: 'x'.repeat(70_000) } }, 'payload_too_large'],
    ['a key that is too long', echo('x'), 'invalid_request', { 'idempotency-key': 'k'.repeat(256) }],
  ];

  it.each(refused)('is refused with a clear code: %s', async (_name, body, code, headers = {}) => {
    const carol = await server.as('carol');
    const answer = await client.call('post', '/v1/runs', { token: carol.token, body, headers });
    expect(answer.body).toMatchObject({ code, status: answer.status, type: `/docs/errors#${code}` });
    expect(answer.get('x-request-id')).toBe((answer.body as { requestId: string }).requestId);
  });

  it('leaves nothing behind', async () => {
    const carol = await server.as('carol');
    for (const path of ['/v1/runs', '/v1/events', '/v1/threads']) {
      expect((await client.call('get', path, { token: carol.token })).body).toMatchObject({ items: [] });
    }
    expect((await client.call('get', '/health')).status).toBe(200);
  });

  it('names each property that is wrong', async () => {
    const { body } = await start(alice, { agent: 7, input: {}, threadId: '', more: 1 });
    expect((body as { issues: { path: string }[] }).issues.map(({ path }) => path).toSorted()).toEqual([
      'agent',
      'more',
      'threadId',
    ]);
  });
});

describe('lists of runs', () => {
  it('come in pages, newest first, each run once', async () => {
    const dora = await server.as('dora');
    const started: string[] = [];
    for (let i = 0; i < 5; i++)
      started.push((await dora.start('echo', { text: `${i}` }, { threadId: i % 2 ? 'odd' : 'even' })).id);
    for (const id of started) await dora.end(id);
    const seen: string[] = [];
    for (let cursor: string | undefined; ;) {
      const query: Record<string, string> = cursor ? { limit: '2', cursor } : { limit: '2' };
      const { body } = await client.call('get', '/v1/runs', { token: dora.token, query });
      const page = body as { items: RunJson[]; nextCursor?: string };
      seen.push(...page.items.map(({ id }) => id));
      if (!(cursor = page.nextCursor)) break;
    }
    expect(seen).toEqual(started.toReversed());
    const odd = await client.call('get', '/v1/runs', {
      token: dora.token,
      query: { threadId: 'odd', status: 'completed' },
    });
    expect((odd.body as { items: RunJson[] }).items).toHaveLength(2);
    const ofThread = await client.call('get', '/v1/threads/odd/runs', { token: dora.token });
    expect(ofThread.body).toEqual(odd.body);
    const failed = await client.call('get', '/v1/runs', { token: dora.token, query: { status: 'failed' } });
    expect(failed.body).toEqual({ items: [] });
  });

  it.each([
    ['/v1/runs', { limit: '0' }],
    ['/v1/runs', { limit: '201' }],
    ['/v1/runs', { limit: '1e2' }],
    ['/v1/runs', { cursor: 'last-week' }],
    ['/v1/runs', { status: 'done' }],
    ['/v1/runs', { threadId: '../etc' }],
    ['/v1/runs', { userId: 'bob' }],
    ['/v1/events', { after: '-1' }],
    ['/v1/events', { after: 'x' }],
    ['/v1/events', { after: '99999' }],
    ['/v1/threads', { limit: 'all' }],
    ['/v1/threads', { cursor: '' }],
    ['/v1/me/queue', { limit: '-5' }],
  ])('refuse %s with %j', async (path, query) => {
    const { body } = await client.call('get', path, { token: alice.token, query });
    expect(body).toMatchObject({ status: 400, code: 'invalid_request' });
  });
});

describe('pages of events', () => {
  it('tell the whole story of a run, and of the user, in whole envelopes', async () => {
    const erin = await server.as('erin');
    const run = await erin.start('echo', { text: 'events' });
    await erin.end(run.id);
    const ofRun = await client.call('get', `/v1/runs/${run.id}/events`, { token: erin.token });
    const types = (ofRun.body as { items: { type: string }[] }).items.map(({ type }) => type);
    expect(types[0]).toBe('agent_started');
    expect(types.at(-1)).toBe('agent_completed');
    const all = await client.call('get', '/v1/events', { token: erin.token });
    expect(all.body).toEqual(ofRun.body);
    const [first, second] = [
      await client.call('get', '/v1/events', { token: erin.token, query: { limit: '2' } }),
      await client.call('get', '/v1/events', { token: erin.token, query: { after: '2' } }),
    ].map(({ body }) => body as { items: { seq: number }[]; next: number });
    expect([...first!.items, ...second!.items]).toEqual((all.body as { items: unknown[] }).items);
    expect([first!.next, second!.next]).toEqual([2, types.length]);
    const none = await client.call('get', '/v1/events', { token: erin.token, query: { after: String(types.length) } });
    expect(none.body).toEqual({ items: [], next: types.length });
  });
});

describe('POST /v1/runs/:id/cancel', () => {
  it('tells a running run to stop, and with wait=true answers when its work is down', async () => {
    const run = await alice.start('wait', { ms: 30_000 });
    const { status, body } = await client.call('post', `/v1/runs/${run.id}/cancel`, {
      token: alice.token,
      query: { wait: 'true' },
    });
    expect([status, body]).toEqual([200, expect.objectContaining({ id: run.id, status: 'cancelled' })]);
    const again = await client.call('post', `/v1/runs/${run.id}/cancel`, { token: alice.token });
    expect(again.body).toMatchObject({ status: 409, code: 'run_ended' });
  });

  it('refuses a wait that is neither true nor false', async () => {
    const { body } = await client.call('post', `/v1/runs/${newId('run')}/cancel`, {
      token: alice.token,
      query: { wait: 'yes' },
    });
    expect(body).toMatchObject({ code: 'invalid_request' });
  });

  it('stops waiting when the client has gone', async () => {
    const fay = await server.as('fay');
    const { listeners } = server.app.get(EventBus) as unknown as { listeners: Map<string, Set<unknown>> };
    const run = await fay.start('stubborn', { ms: 3_000 });
    const gone = new AbortController();
    const waiting = fetch(`${server.url}/v1/runs/${run.id}/cancel?wait=true`, {
      method: 'POST',
      headers: { authorization: `Bearer ${fay.token}` },
      signal: gone.signal,
    }).catch(() => undefined);
    await until(() => listeners.has('fay'));
    gone.abort();
    await waiting;
    const since = performance.now();
    await until(() => !listeners.has('fay'));
    expect(performance.now() - since).toBeLessThan(1_000);
  });
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
