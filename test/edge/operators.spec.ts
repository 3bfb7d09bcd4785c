import { SwitchboardWatch } from '../../src/execution/operations/switchboard-watch.service.js';
import { Switchboard } from '../../src/execution/operations/switchboard.js';
import { CarrelServer, type CarrelUser, type RunJson } from '../carrel-server.js';
import { ScriptedAgentsModule } from '../scripted-agents.module.js';
import { DocumentedClient } from './documented-client.js';

let server: CarrelServer;
let client: DocumentedClient;
let alice: CarrelUser;
let bob: CarrelUser;
let olga: string;

beforeEach(async () => {
  server = await CarrelServer.start({
    agents: [ScriptedAgentsModule],
    env: { CARREL_DRAIN_MS: '0', CARREL_USER_MAX_RUNNING: '1' },
  });
  client = await DocumentedClient.of(server);
  [alice, bob] = await Promise.all([server.as('alice'), server.as('bob')]);
  olga = await server.token('olga', { roles: ['carrel:operator'] });
});
afterEach(() => server.close());

async function ask<Body = Record<string, unknown>>(method: string, path: string, body?: unknown, token = olga) {
  const answer = await fetch(server.url + path, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await answer.text();
  return { status: answer.status, body: (text ? JSON.parse(text) : {}) as Body };
}

const switchOff = (kind: string, name: string, more: object = {}) =>
  ask<{ cancelled: number }>('POST', '/v1/admin/switches', { kind, name, reason: 'it misbehaves', ...more });
const start = (user: CarrelUser, agent: string, input: unknown = {}, more: object = {}) =>
  user.http<RunJson & { code?: string; detail?: string }>('POST', '/v1/runs', { agent, input, ...more });
interface Entry {
  id: string;
  by: string;
  action: string;
  subject: { kind: string; name: string };
  details: Record<string, unknown>;
}
const trail = async () => (await ask<{ items: Entry[] }>('GET', '/v1/admin/audit')).body.items;

describe('the operators’ routes', () => {
  const ROUTES: [string, string, object?][] = [
    ['GET', '/v1/admin/execution'],
    ['GET', '/v1/admin/nodes'],
    ['GET', '/v1/admin/lanes'],
    ['GET', '/v1/admin/stuck-runs'],
    ['GET', '/v1/admin/switches'],
    ['POST', '/v1/admin/switches', { kind: 'user', name: 'alice', reason: 'because' }],
    ['DELETE', '/v1/admin/switches/user/alice'],
    ['GET', '/v1/admin/audit'],
    ['GET', '/v1/admin/users/alice/runs'],
    ['GET', '/v1/admin/users/alice/runs/run_01jqz6t3z8c0n2v5w7x9y1a3b5/events'],
    ['GET', '/v1/admin/users/alice/runs/run_01k9m7v3c8d5e6f7g8h9j0k1m2'],
  ];

  it.each(ROUTES)('%s %s is for nobody without the role, and changes nothing then', async (...route) => {
    const [method, path, body] = route;
    for (const roles of [[], ['admin'], ['carrel:operators'], ['CARREL:OPERATOR']]) {
      const token = await server.token('bob', { roles });
      expect(await ask(method, path, body, token)).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    }
    expect(await ask(method, path, body, 'no-token')).toMatchObject({ status: 401 });
    expect(await trail()).toEqual([]);
    expect((await start(alice, 'echo', { text: 'x' })).status).toBe(202);
  });

  it('answer as the OpenAPI document says', async () => {
    await alice.start('wait', { ms: 30_000 });
    await switchOff('agent', 'echo');
    for (const path of ['execution', 'nodes', 'lanes', 'stuck-runs', 'switches', 'audit']) {
      const { status } = await client.call('get', `/v1/admin/${path}`, { token: olga });
      expect([path, status]).toEqual([path, 200]);
    }
  });
});

describe('a kill switch', () => {
  it('has an agent refuse new runs with a clear code, and other agents go on', async () => {
    expect(await switchOff('agent', 'echo')).toMatchObject({ status: 200, body: { cancelled: 0 } });
    const refused = await start(alice, 'echo', { text: 'x' });
    expect(refused).toMatchObject({ status: 503, body: { code: 'agent_disabled' } });
    expect(refused.body.detail).toContain('it misbehaves');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    const socket = await bob.connect();
    expect(await socket.emit('run:start', { agent: 'echo', input: { text: 'x' } })).toMatchObject({
      ok: false,
      error: { code: 'agent_disabled' },
    });
    expect((await alice.http<{ items: unknown[] }>('GET', '/v1/runs')).body.items).toEqual([]);
    expect((await start(bob, 'wait', { ms: 1 })).status).toBe(202);
    expect((await ask('DELETE', '/v1/admin/switches/agent/echo')).status).toBe(204);
    expect((await start(alice, 'echo', { text: 'x' })).status).toBe(202);
    expect(await ask('DELETE', '/v1/admin/switches/agent/echo')).toMatchObject({ status: 404 });
  });

  it('has a run that waited fail when its turn comes, also as a step of a pipeline, and nothing is tried again', async () => {
    const first = await alice.start('wait', { ms: 30_000 });
    const waiting = await alice.start('echo', { text: 'x' });
    await switchOff('agent', 'echo');
    await alice.http('POST', `/v1/runs/${first.id}/cancel`);
    expect(await alice.end(waiting.id)).toMatchObject({
      status: 'failed',
      attempt: 1,
      error: { code: 'agent_disabled' },
    });
    const steps = [{ name: 'one', agent: 'echo', input: {} }];
    const { body } = await bob.http<RunJson>(
      'POST',
      '/v1/runs',
      { pipeline: { steps }, input: {} },
      { prefer: 'wait=10' },
    );
    expect(body).toMatchObject({ status: 'failed', error: { message: expect.stringContaining('switched off') } });
  });

  it('cancels what runs only if asked, of all users, and says how many', async () => {
    const runs = [await alice.start('wait', { ms: 30_000 }), await bob.start('wait', { ms: 30_000 })];
    const other = await (await server.as('carol')).start('stubborn', { ms: 20 });
    expect((await switchOff('agent', 'wait')).body.cancelled).toBe(0);
    expect((await alice.http<RunJson>('GET', `/v1/runs/${runs[0]!.id}`)).body.status).toBe('running');
    expect((await switchOff('agent', 'wait', { cancelRuns: true })).body.cancelled).toBe(2);
    expect((await alice.end(runs[0]!.id)).status).toBe('cancelled');
    expect((await bob.end(runs[1]!.id)).status).toBe('cancelled');
    expect((await (await server.as('carol')).end(other.id)).status).toBe('completed');
  });

  it('has a user start nothing, whatever the door, while others go on; what is there can be read', async () => {
    const running = await alice.start('wait', { ms: 30_000 });
    const waiting = await alice.start('echo', { text: 'x' });
    expect(await switchOff('user', 'alice', { cancelRuns: true })).toMatchObject({ body: { cancelled: 2 } });
    expect(await start(alice, 'echo', { text: 'x' })).toMatchObject({ status: 403, body: { code: 'user_suspended' } });
    expect(await alice.http('POST', `/v1/runs/${waiting.id}/retry`)).toMatchObject({ status: 403 });
    const socket = await alice.connect({ after: 0 });
    expect(await socket.emit('run:start', { agent: 'echo', input: {} })).toMatchObject({
      error: { code: 'user_suspended' },
    });
    expect((await alice.end(running.id)).status).toBe('cancelled');
    expect((await alice.end(waiting.id)).status).toBe('cancelled');
    const told = socket.events.filter(({ type }) => type === 'agent_cancelled');
    expect(told.map(({ data }) => (data as { by: string }).by)).toEqual(['operator', 'operator']);
    expect((await start(bob, 'echo', { text: 'x' })).status).toBe(202);
  });

  it('survives a restart, and reaches a process that learns of it from the store alone', async () => {
    await switchOff('agent', 'echo');
    // as another process would have left it: this one's memory does not know yet
    server.app.get(Switchboard).learn([]);
    expect((await start(bob, 'echo', { text: 'x' })).status).toBe(202);
    await server.app.get(SwitchboardWatch).look();
    expect((await start(bob, 'echo', { text: 'x' })).body.code).toBe('agent_disabled');
    await server.app.close();
    const { dir: dataDir } = server.config.data;
    await using again = await CarrelServer.start({ agents: [ScriptedAgentsModule], dataDir });
    expect((await start(await again.as('bob'), 'echo', { text: 'x' })).body.code).toBe('agent_disabled');
  });

  it('is refused for what does not exist', async () => {
    expect(await switchOff('agent', 'ecko')).toMatchObject({ status: 422, body: { code: 'unknown_agent' } });
    expect(await switchOff('user', 'two words')).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(await switchOff('group', 'all')).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(await switchOff('agent', 'echo', { reason: '' })).toMatchObject({ status: 400 });
    expect(await switchOff('agent', 'echo', { reason: 'a\u0000b' })).toMatchObject({ status: 400 });
    expect(await trail()).toEqual([]);
  });
});

describe('what operators see', () => {
  it('of lanes: who waits most, in pages, and nothing of what is in the runs', async () => {
    await bob.start('wait', { ms: 30_000, text: 'of bob' });
    for (const _ of [1, 2, 3]) await alice.start('wait', { ms: 30_000, text: 'of alice' });
    const first = await ask<{ items: unknown[]; nextCursor: string }>('GET', '/v1/admin/lanes?limit=1');
    expect(first.body.items).toEqual([{ userId: 'alice', running: 1, waiting: 2 }]);
    const cursor = encodeURIComponent(first.body.nextCursor);
    expect((await ask('GET', `/v1/admin/lanes?limit=5&cursor=${cursor}`)).body).toEqual({
      items: [{ userId: 'bob', running: 1, waiting: 0 }],
    });
  });

  it('of runs that give no sign: which they are, and for how long', async () => {
    const run = await alice.start('wait', { ms: 30_000, text: 'private words' });
    const none = await ask<{ items: unknown[] }>('GET', '/v1/admin/stuck-runs');
    expect(none.body.items).toEqual([]);
    const quiet = await ask<{ items: { quietForMs: number }[] }>('GET', '/v1/admin/stuck-runs?quietForMs=0');
    await new Promise((resolve) => setTimeout(resolve, 2)); // the clock has milliseconds
    const { body } = await ask<{ items: { quietForMs: number }[] }>('GET', '/v1/admin/stuck-runs?quietForMs=0');
    expect(quiet.status).toBe(200);
    expect(body.items).toMatchObject([
      { userId: 'alice', runId: run.id, agent: 'wait', status: 'running', attempt: 1 },
    ]);
    expect(JSON.stringify(body)).not.toContain('private words');
  });

  it('of one user’s runs: what that user sees, read-only, and written down; of another user’s nothing by that way', async () => {
    const hers = await alice.start('echo', { text: 'hers' });
    const his = await bob.start('echo', { text: 'his' });
    await Promise.all([alice.end(hers.id), bob.end(his.id)]);
    const list = await ask<{ items: RunJson[] }>('GET', '/v1/admin/users/alice/runs');
    expect(list.body.items.map(({ id }) => id)).toEqual([hers.id]);
    expect((await ask('GET', `/v1/admin/users/alice/runs/${hers.id}`)).body).toEqual(
      (await alice.http('GET', `/v1/runs/${hers.id}`)).body,
    );
    const events = `/v1/admin/users/alice/runs/${hers.id}/events`;
    expect((await ask('GET', events)).body).toEqual((await alice.http('GET', `/v1/runs/${hers.id}/events`)).body);
    expect((await ask('GET', `/v1/admin/users/alice/runs/${his.id}`)).status).toBe(404);
    expect((await ask('GET', `/v1/admin/users/alice/runs/${his.id}/events`)).status).toBe(404);
    expect((await ask('POST', `/v1/admin/users/alice/runs/${hers.id}`, {})).status).toBe(405);
    expect((await ask('GET', '/v1/admin/users/null/runs')).status).toBe(404);
    expect((await ask('GET', `/v1/runs/${hers.id}`)).status).toBe(404);
    const entries = await trail();
    expect(entries.map(({ by, action, subject }) => [by, action, subject.name])).toEqual([
      ['olga', 'user_run_viewed', 'alice'],
      ['olga', 'user_run_viewed', 'alice'],
      ['olga', 'user_run_viewed', 'alice'],
      ['olga', 'user_run_viewed', 'alice'],
      ['olga', 'user_runs_viewed', 'alice'],
    ]);
    expect(entries[3]!.details).toMatchObject({ runId: hers.id, requestId: expect.stringMatching(/^req_/) });
  });

  it('of what operators did: who, what, whom and why, in pages, the newest first', async () => {
    await switchOff('agent', 'echo');
    await switchOff('user', 'bob', { cancelRuns: true });
    await ask('DELETE', '/v1/admin/switches/user/bob');
    const first = await ask<{ items: Entry[]; nextCursor: string }>('GET', '/v1/admin/audit?limit=2');
    expect(first.body.items).toMatchObject([
      { by: 'olga', action: 'switch_unset', subject: { kind: 'user', name: 'bob' } },
      { action: 'switch_set', subject: { kind: 'user', name: 'bob' }, details: { cancelRuns: true } },
    ]);
    const rest = await ask<{ items: Entry[] }>('GET', `/v1/admin/audit?cursor=${first.body.nextCursor}`);
    expect(rest.body).toMatchObject({ items: [{ subject: { name: 'echo' }, details: { reason: 'it misbehaves' } }] });
    expect((await ask('GET', '/v1/admin/audit?cursor=yesterday')).status).toBe(400);
  });

  it('of nodes: this process, and what it carries', async () => {
    await alice.start('wait', { ms: 30_000 });
    const { body } = await ask<{ items: object[] }>('GET', '/v1/admin/nodes');
    expect(body.items).toEqual([
      {
        id: expect.stringMatching(/^nod_/),
        role: 'all',
        startedAt: expect.any(String),
        beatAt: expect.any(String),
        draining: false,
        isThisOne: true,
      },
    ]);
  });
});
