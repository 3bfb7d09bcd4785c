import { CarrelServer, type CarrelUser, type RunJson } from '../carrel-server.js';
import { ScriptedAgentsModule } from '../scripted-agents.module.js';
import { DocumentedClient } from './documented-client.js';

interface Held extends RunJson {
  pipeline?: string;
  spec?: unknown;
  priority: number;
  heldBy?: string;
  notBefore?: string;
}

let server: CarrelServer;
let client: DocumentedClient;
let alice: CarrelUser;
let bob: CarrelUser;

beforeEach(async () => {
  server = await CarrelServer.start({
    agents: [ScriptedAgentsModule],
    env: { CARREL_USER_MAX_RUNNING: '1', CARREL_DRAIN_MS: '0' },
  });
  client = await DocumentedClient.of(server);
  [alice, bob] = await Promise.all([server.as('alice'), server.as('bob')]);
});
afterEach(() => server.close());

async function start(user: CarrelUser, more: object): Promise<Held> {
  const { status, body } = await client.call('post', '/v1/runs', { token: user.token, body: { input: {}, ...more } });
  expect([status, body]).toEqual([202, body]);
  return body as Held;
}

async function queueOf({ token }: CarrelUser): Promise<{ running: number; queued: number; items: Held[] }> {
  const { body } = await client.call('get', '/v1/me/queue', { token });
  return body as { running: number; queued: number; items: Held[] };
}

const wait = { agent: 'wait', input: { ms: 30_000 } };
const SPEC = { steps: [{ name: 'say', agent: 'echo', input: { text: 'from a step' } }] };

describe('POST /v1/runs', () => {
  it('holds a run for its time, outside of the line, and says until when', async () => {
    const before = Date.now();
    const run = await start(alice, { ...wait, delayMs: 3_600_000 });
    expect(run).toMatchObject({ status: 'queued', heldBy: 'delay', priority: 0 });
    expect(Date.parse(run.notBefore!)).toBeGreaterThanOrEqual(before + 3_600_000);
    const { items, running, queued } = await queueOf(alice);
    expect([running, queued]).toEqual([0, 1]);
    expect(items).toMatchObject([{ id: run.id, heldBy: 'delay', notBefore: run.notBefore, position: 1 }]);
    expect((await queueOf(bob)).items).toEqual([]);
    expect(await alice.end((await start(alice, { agent: 'echo' })).id)).toMatchObject({ status: 'completed' });
  });

  it('lets a run of higher priority pass the others of its user', async () => {
    await start(alice, wait);
    const [low, normal, high] = [
      await start(alice, { agent: 'echo', priority: -5 }),
      await start(alice, { agent: 'echo' }),
      await start(alice, { agent: 'echo', priority: 5 }),
    ];
    const { items } = await queueOf(alice);
    expect(items.map(({ id, priority }) => [id, priority])).toEqual([
      [high.id, 5],
      [normal.id, 0],
      [low.id, -5],
    ]);
  });

  it.each<[string, (thread: string) => Promise<void>]>([
    [
      'enqueue',
      async (threadId) => {
        const second = await start(alice, { ...wait, threadId, onConflict: 'enqueue' });
        expect(second).toMatchObject({ status: 'queued', heldBy: 'thread' });
        expect((await queueOf(alice)).items).toMatchObject([{ id: second.id, heldBy: 'thread', threadId }]);
      },
    ],
    [
      'reject',
      async (threadId) => {
        const body = { ...wait, threadId, onConflict: 'reject' };
        const refused = await client.call('post', '/v1/runs', { token: alice.token, body });
        expect(refused.body).toMatchObject({ status: 409, code: 'thread_busy' });
        await start(bob, body);
      },
    ],
    [
      'interrupt',
      async (threadId) => {
        const socket = await alice.connect({ after: 0 });
        const second = await start(alice, { agent: 'echo', threadId, onConflict: 'interrupt' });
        await socket.until(({ type }) => type === 'agent_cancelled');
        expect(await alice.end(second.id)).toMatchObject({ status: 'completed' });
      },
    ],
  ])('does with a busy thread what onConflict says: %s', async (_policy, check) => {
    const first = await start(alice, { ...wait, threadId: 'chat' });
    const socket = await alice.connect({ after: 0 });
    await socket.until(({ runId, type }) => runId === first.id && type === 'agent_thinking');
    await check('chat');
  });

  it('carries out a whole pipeline that comes with the request, and shows it', async () => {
    const run = await start(alice, { pipeline: SPEC });
    expect(run).toMatchObject({ pipeline: 'inline', spec: SPEC });
    expect(run).not.toHaveProperty('agent');
    const ended = await alice.end(run.id);
    expect(ended).toMatchObject({ status: 'completed', pipeline: 'inline', spec: SPEC });
    expect(JSON.stringify(ended.result)).toContain('from a step');
    const named = await start(alice, { pipeline: { ...SPEC, name: 'greet' } });
    expect(named).toMatchObject({ pipeline: 'greet', spec: { name: 'greet' } });
  });

  it.each<[string, object, string]>([
    ['neither agent nor pipeline', {}, 'invalid_request'],
    ['both', { agent: 'echo', pipeline: SPEC }, 'invalid_request'],
    ['a pipeline that is a number', { pipeline: 7 }, 'invalid_request'],
    ['a pipeline that is null', { pipeline: null }, 'invalid_request'],
    ['an unknown pipeline', { pipeline: 'nothing' }, 'unknown_pipeline'],
    ['a pipeline without steps', { pipeline: { steps: [] } }, 'invalid_pipeline'],
    ['a step that is nothing', { pipeline: { steps: [7] } }, 'invalid_pipeline'],
    ['a step of an unknown agent', { pipeline: { steps: [{ name: 'a', agent: 'nobody' }] } }, 'invalid_pipeline'],
    [
      'a cycle',
      {
        pipeline: {
          steps: [
            { name: 'a', agent: 'echo', dependsOn: ['b'] },
            { name: 'b', agent: 'echo', dependsOn: ['a'] },
          ],
        },
      },
      'invalid_pipeline',
    ],
    ['a delay into the past', { agent: 'echo', delayMs: -1 }, 'invalid_request'],
    ['a delay of half a millisecond', { agent: 'echo', delayMs: 0.5 }, 'invalid_request'],
    ['a delay of years', { agent: 'echo', delayMs: 1e12 }, 'invalid_request'],
    ['a delay that is a text', { agent: 'echo', delayMs: '5' }, 'invalid_request'],
    ['a priority out of bounds', { agent: 'echo', priority: 11 }, 'invalid_request'],
    ['a priority that is a text', { agent: 'echo', priority: '1' }, 'invalid_request'],
    ['a conflict nobody knows', { agent: 'echo', onConflict: 'ignore' }, 'invalid_request'],
  ])('refuses %s, over both doors alike, and stores nothing', async (_what, body, code) => {
    const carol = await server.as('carol');
    const answer = await client.call('post', '/v1/runs', { token: carol.token, body: { input: {}, ...body } });
    expect(answer.body).toMatchObject({ code });
    const socket = await carol.connect();
    expect(await socket.emit('run:start', { input: {}, ...body })).toMatchObject({ ok: false, error: { code } });
    socket.close();
    expect((await client.call('get', '/v1/runs', { token: carol.token })).body).toEqual({ items: [] });
  });
});

describe('GET /v1/me/limits', () => {
  it('has the limits of what waits and recurs, too', async () => {
    const { body } = await client.call('get', '/v1/me/limits', { token: alice.token });
    expect(body).toMatchObject({
      limits: { maxRunning: 1, maxSuspended: 1_000, maxSchedules: 50 },
      use: { running: 0, queued: 0, suspended: 0 },
    });
  });
});
