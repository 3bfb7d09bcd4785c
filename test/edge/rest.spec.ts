import { newId } from '../../src/shared/ids.js';
import { ExecutionLifecycle } from '../../src/execution/execution-lifecycle.service.js';
import { CarrelServer, type CarrelUser, type RunJson } from '../carrel-server.js';
import { ScriptedAgentsModule } from '../scripted-agents.module.js';
import { DocumentedClient } from './documented-client.js';

let server: CarrelServer;
let client: DocumentedClient;
let alice: CarrelUser;
let bob: CarrelUser;

beforeAll(async () => {
  server = await CarrelServer.start({
    agents: [ScriptedAgentsModule],
    env: { CARREL_USER_MAX_RUNNING: '1', CARREL_USER_MAX_QUEUED: '2', CARREL_USER_STARTS_PER_MINUTE: '20' },
  });
  client = await DocumentedClient.of(server);
  alice = await server.as('alice');
  bob = await server.as('bob');
});
afterAll(() => server.close());

const get = (user: CarrelUser, path: string) => client.call('get', path, { token: user.token });

describe('agents', () => {
  it('are listed by name, with what they take', async () => {
    const { body } = await get(alice, '/v1/agents');
    const names = (body as { items: { name: string }[] }).items.map(({ name }) => name);
    expect(names).toEqual(names.toSorted());
    expect(names).toEqual(expect.arrayContaining(['compare', 'echo', 'summarise']));
    const one = await get(alice, '/v1/agents/summarise');
    expect((body as { items: unknown[] }).items).toContainEqual(one.body);
    expect(one.body).toMatchObject({ inputSchema: { type: 'object' } });
  });

  it('that are not there are not found', async () => {
    expect((await get(alice, '/v1/agents/nobody')).body).toMatchObject({ code: 'not_found' });
  });
});

describe('threads', () => {
  it('are made, found, listed and deleted by their owner', async () => {
    const body = { id: 'report', title: 'The annual report', metadata: { year: 2026 } };
    const made = await client.call('post', '/v1/threads', { token: alice.token, body });
    expect([made.status, made.get('location')]).toEqual([201, '/v1/threads/report']);
    const again = await client.call('post', '/v1/threads', {
      token: alice.token,
      body: { id: 'report', title: 'Another' },
    });
    expect([again.status, again.body]).toEqual([200, made.body]);
    const bobs = await client.call('post', '/v1/threads', { token: bob.token, body: { id: 'report' } });
    expect([bobs.status, (bobs.body as { title?: string }).title]).toEqual([201, undefined]);
    expect((await get(alice, '/v1/threads/report')).body).toEqual(made.body);
    const unnamed = await client.call('post', '/v1/threads', { token: alice.token, body: {} });
    const listed = await get(alice, '/v1/threads');
    expect((listed.body as { items: { id: string }[] }).items.map(({ id }) => id)).toEqual([
      (unnamed.body as { id: string }).id,
      'report',
    ]);
    expect((await client.call('delete', '/v1/threads/report', { token: alice.token })).status).toBe(204);
    expect((await get(alice, '/v1/threads/report')).status).toBe(404);
    expect((await get(bob, '/v1/threads/report')).status).toBe(200);
  });

  it('come in pages', async () => {
    const carl = await server.as('carl');
    for (const id of ['a', 'b', 'c']) await client.call('post', '/v1/threads', { token: carl.token, body: { id } });
    const first = await client.call('get', '/v1/threads', { token: carl.token, query: { limit: '2' } });
    const { items, nextCursor = '' } = first.body as { items: { id: string }[]; nextCursor?: string };
    const second = await client.call('get', '/v1/threads', {
      token: carl.token,
      query: { limit: '2', cursor: nextCursor },
    });
    const rest = second.body as { items: { id: string }[]; nextCursor?: string };
    expect([...items, ...rest.items].map(({ id }) => id)).toEqual(['c', 'b', 'a']);
    expect(rest.nextCursor).toBeUndefined();
  });

  it('stay while a run of them is under way', async () => {
    const run = await alice.start('wait', { ms: 30_000 }, { threadId: 'busy' });
    const refused = await client.call('delete', '/v1/threads/busy', { token: alice.token });
    expect(refused.body).toMatchObject({ status: 409, code: 'thread_busy' });
    await client.call('post', `/v1/runs/${run.id}/cancel`, { token: alice.token, query: { wait: 'true' } });
    expect((await client.call('delete', '/v1/threads/busy', { token: alice.token })).status).toBe(204);
    expect((await get(alice, `/v1/runs/${run.id}`)).status).toBe(404);
  });

  it.each([
    [{ id: 'a b' }],
    [{ id: '' }],
    [{ title: '' }],
    [{ title: 'x'.repeat(201) }],
    [{ title: null }],
    [{ metadata: 'x' }],
    [{ userId: 'bob' }],
  ])('are not made of %j', async (body) => {
    const { body: problem } = await client.call('post', '/v1/threads', { token: alice.token, body });
    expect(problem).toMatchObject({ status: 400, code: 'invalid_request' });
  });

  it.each(['yesterday', '_', '1:'])('refuse the cursor %s', async (cursor) => {
    const { body } = await client.call('get', '/v1/threads', { token: alice.token, query: { cursor } });
    expect(body).toMatchObject({ status: 400, code: 'invalid_request' });
  });
});

describe('me', () => {
  it('is what the token says', async () => {
    const token = await server.token('gil', { roles: ['analyst'] });
    const { body } = await client.call('get', '/v1/me', { token });
    expect(body).toMatchObject({ userId: 'gil', roles: ['analyst'] });
  });

  it('shows limits and use, the waiting runs in their order, and refuses what is too much', async () => {
    const hal = await server.as('hal');
    const runs: RunJson[] = [];
    for (let i = 0; i < 3; i++) runs.push(await hal.start('wait', { ms: 30_000 }));
    expect((await get(hal, '/v1/me/limits')).body).toMatchObject({
      limits: { maxRunning: 1, maxQueued: 2, startsPerMinute: 20 },
      use: { running: 1, queued: 2, starts: 3 },
    });
    expect((await get(bob, '/v1/me/queue')).body).toEqual({ running: 0, queued: 0, items: [] });
    expect((await get(hal, '/v1/me/queue')).body).toMatchObject({
      running: 1,
      queued: 2,
      items: [
        { id: runs[1]!.id, agent: 'wait', position: 1 },
        { id: runs[2]!.id, agent: 'wait', position: 2 },
      ],
    });
    const full = await client.call('post', '/v1/runs', { token: hal.token, body: { agent: 'wait', input: {} } });
    expect(full.body).toMatchObject({ status: 429, code: 'queue_full' });
    expect(Number(full.get('retry-after'))).toBeGreaterThan(0);
    for (const { id } of runs.toReversed()) {
      await client.call('post', `/v1/runs/${id}/cancel`, { token: hal.token, query: { wait: 'true' } });
    }
  });

  it('may start so many runs a minute', async () => {
    const ivy = await server.as('ivy');
    let refused;
    for (let i = 0; i < 21; i++) {
      refused = await client.call('post', '/v1/runs', {
        token: ivy.token,
        body: { agent: 'echo', input: { text: 'x' } },
        headers: { prefer: 'wait=5' },
      });
    }
    expect(refused?.body).toMatchObject({ status: 429, code: 'rate_limited' });
    const seconds = Number(refused?.get('retry-after'));
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThanOrEqual(60);
  });
});

describe("another user's id", () => {
  const routes: ['get' | 'post' | 'delete', string, 'run' | 'thread'][] = [
    ['get', '/v1/runs/:id', 'run'],
    ['get', '/v1/runs/:id/events', 'run'],
    ['get', '/v1/runs/:id/stream', 'run'],
    ['post', '/v1/runs/:id/cancel', 'run'],
    ['get', '/v1/threads/:id', 'thread'],
    ['get', '/v1/threads/:id/runs', 'thread'],
    ['delete', '/v1/threads/:id', 'thread'],
  ];

  it.each(routes)(
    'is answered by %s %s exactly like one that never was, and like no id at all',
    async (method, path, kind) => {
      const bobs = await bob.start('echo', { text: 'mine' }, { threadId: `bobs-${newId('thr')}` });
      await bob.end(bobs.id);
      const ids =
        kind === 'run'
          ? [bobs.id, newId('run'), 'run_1', 'x'.repeat(300)]
          : [bobs.threadId, newId('thr'), '%20', 'x'.repeat(300)];
      const answers = [];
      for (const id of ids) {
        const { status, body } = await client.call(method, path.replace(':id', id), { token: alice.token });
        answers.push({ status, body: { ...(body as object), requestId: undefined } });
      }
      expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
      expect(answers[0]).toMatchObject({ status: 404, body: { code: 'not_found' } });
    },
  );
});

describe('the server', () => {
  it('says that it lives, what it is, and whether it takes runs', async () => {
    expect((await client.call('get', '/health')).body).toEqual({ status: 'ok' });
    expect((await client.call('get', '/ready')).body).toEqual({
      status: 'ready',
      parts: { storage: { status: 'ok' } },
    });
    const { body } = await client.call('get', '/info');
    expect(body).toMatchObject({ name: 'carrel', profile: 'embedded', node: process.versions.node });
  });

  it('is not ready, and takes no runs, while it drains', async () => {
    await using draining = await CarrelServer.start({ agents: [ScriptedAgentsModule] });
    const documented = await DocumentedClient.of(draining);
    await draining.app.get(ExecutionLifecycle).drain();
    const ready = await documented.call('get', '/ready');
    expect(ready.body).toMatchObject({ status: 503, code: 'draining' });
    expect(ready.get('retry-after')).toBe('1');
    const { body } = await documented.call('post', '/v1/runs', {
      token: await draining.token('alice'),
      body: { agent: 'echo', input: { text: 'x' } },
    });
    expect(body).toMatchObject({ status: 503, code: 'draining' });
    expect((await documented.call('get', '/health')).status).toBe(200);
  });
});
