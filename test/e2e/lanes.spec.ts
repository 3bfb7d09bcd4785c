import { CarrelServer, isTerminal, type CarrelUser } from '../carrel-server.js';
import { ScriptedAgentsModule } from '../scripted-agents.module.js';

interface Limits {
  limits: Record<string, number>;
  use: { running: number; queued: number };
}

describe("a user's lane", () => {
  let server: CarrelServer;

  beforeAll(async () => {
    server = await CarrelServer.start({
      agents: [ScriptedAgentsModule],
      env: { CARREL_USER_MAX_RUNNING: '2', CARREL_USER_MAX_QUEUED: '3', CARREL_RUN_SLOTS: '4' },
    });
  });

  afterAll(() => server.close());

  async function fill(user: CarrelUser, runs: number): Promise<string[]> {
    const ids: string[] = [];
    for (let i = 0; i < runs; i++) ids.push((await user.start('wait', { ms: 60_000 })).id);
    return ids;
  }

  async function cancelAll(user: CarrelUser, ids: string[]): Promise<void> {
    for (const id of ids.toReversed()) await user.http('POST', `/v1/runs/${id}/cancel?wait=true`);
  }

  it('takes K running and Q waiting runs, tells their places, and refuses the next with queue_full', async () => {
    const alice = await server.as('alice');
    const socket = await alice.connect({ after: 0 });
    const ids = await fill(alice, 5);
    const refused = await alice.http<{ code: string }>('POST', '/v1/runs', { agent: 'wait', input: {} });
    expect(refused).toMatchObject({ status: 429, body: { code: 'queue_full' } });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    await socket.count(2 + 3);
    const places = socket.events.flatMap((event) => (event.type === 'agent_queued' ? [event.data] : []));
    expect(places).toEqual([1, 2, 3].map((position) => ({ position, reason: 'user_limit' })));
    const { body: queue } = await alice.http<{ items: { id: string; position: number }[] }>('GET', '/v1/me/queue');
    expect(queue.items.map(({ id }) => id)).toEqual(ids.slice(2));
    expect((await alice.http<Limits>('GET', '/v1/me/limits')).body.use).toMatchObject({ running: 2, queued: 3 });
    await cancelAll(alice, ids);
    expect((await alice.http<Limits>('GET', '/v1/me/limits')).body.use).toMatchObject({ running: 0, queued: 0 });
  });

  it("is full for alice only: bob's runs begin at once", async () => {
    const [alice, bob] = await Promise.all([server.as('alice'), server.as('bob')]);
    const ids = await fill(alice, 5);
    const socket = await bob.connect({ after: 0 });
    const { id } = await bob.start('echo', { text: 'hello' });
    await socket.until((event) => event.runId === id && isTerminal(event));
    expect(socket.events.filter((event) => event.runId === id).map(({ type }) => type)[0]).toBe('agent_started');
    await cancelAll(alice, ids);
  });

  it('gives its place back on every way out: success, failure, time-out and cancel', async () => {
    const carol = await server.as('carol');
    const socket = await carol.connect({ after: 0 });
    const scripts: [string, object][] = [
      ['echo', {}],
      ['fail', { how: 'error' }],
      ['fail', { how: 'nothing' }],
      ['slow-to-time-out', { ms: 10_000 }],
      ['block', { ms: 60 }],
    ];
    for (const [agent, input] of [...scripts, ...scripts]) {
      const { id } = await carol.start(agent, input);
      await socket.until((event) => event.runId === id && isTerminal(event));
    }
    expect((await carol.http<Limits>('GET', '/v1/me/limits')).body.use).toMatchObject({ running: 0, queued: 0 });
  });

  it('cancels a run that waits without ever starting it', async () => {
    const dave = await server.as('dave');
    const socket = await dave.connect({ after: 0 });
    const ids = await fill(dave, 3);
    const { body } = await dave.http<{ status: string }>('POST', `/v1/runs/${ids[2]}/cancel`);
    expect(body.status).toBe('cancelled');
    await socket.until((event) => event.runId === ids[2] && isTerminal(event));
    expect(socket.events.filter(({ runId }) => runId === ids[2]).map(({ type }) => type)).toEqual([
      'agent_queued',
      'agent_cancelled',
    ]);
    await cancelAll(dave, ids.slice(0, 2));
  });

  it('says server_busy to an admitted run that waits for a free slot', async () => {
    const [erin, frank, grace] = await Promise.all(['erin', 'frank', 'grace'].map((id) => server.as(id)));
    const busy = [await fill(erin!, 2), await fill(frank!, 2)];
    const socket = await grace!.connect({ after: 0 });
    const waits = [await grace!.start('wait', { ms: 1 }), await grace!.start('wait', { ms: 1 })];
    await socket.until((event) => event.type === 'agent_queued' && event.data.position === 2);
    expect(socket.events.map(({ data }) => data)).toEqual(
      [1, 2].map((position) => ({ position, reason: 'server_busy' })),
    );
    await cancelAll(erin!, busy[0]!);
    await cancelAll(frank!, busy[1]!);
    await socket.until((event) => event.runId === waits[1]!.id && isTerminal(event));
  });
});

describe('idempotency keys', () => {
  let server: CarrelServer;

  beforeAll(async () => {
    server = await CarrelServer.start({ agents: [ScriptedAgentsModule] });
  });

  afterAll(() => server.close());

  const start = (user: CarrelUser, text: string, key: string) =>
    user.http<{ id: string; code?: string }>(
      'POST',
      '/v1/runs',
      { agent: 'echo', input: { text } },
      { 'idempotency-key': key },
    );

  it('give the same run to the same user for the same request, even when asked at once', async () => {
    const alice = await server.as('alice');
    const answers = await Promise.all(Array.from({ length: 10 }, () => start(alice, 'once', 'key-1')));
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    const { body } = await alice.http<{ items: unknown[] }>('GET', '/v1/runs');
    expect(body.items).toHaveLength(1);
  });

  it('refuse another request under the same key', async () => {
    const alice = await server.as('alice');
    await start(alice, 'first', 'key-2');
    expect(await start(alice, 'second', 'key-2')).toMatchObject({
      status: 409,
      body: { code: 'idempotency_conflict' },
    });
  });

  it("are each user's own: bob's same key is another run", async () => {
    const [alice, bob] = await Promise.all([server.as('alice'), server.as('bob')]);
    const [first, second] = await Promise.all([start(alice, 'same', 'key-3'), start(bob, 'same', 'key-3')]);
    expect(first.status).toBe(202);
    expect(second.status).toBe(202);
    expect(first.body.id).not.toBe(second.body.id);
  });
});

describe('the rate of starts', () => {
  it('is limited for each user on their own, and says when to try again', async () => {
    await using server = await CarrelServer.start({
      agents: [ScriptedAgentsModule],
      env: { CARREL_USER_STARTS_PER_MINUTE: '5', CARREL_USER_MAX_QUEUED: '100' },
    });
    const [alice, bob] = await Promise.all([server.as('alice'), server.as('bob')]);
    const answers = [];
    for (let i = 0; i < 7; i++)
      answers.push(await alice.http<{ code?: string }>('POST', '/v1/runs', { agent: 'echo', input: {} }));
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 202, 202, 429, 429]);
    expect(answers[5]!.body.code).toBe('rate_limited');
    expect(Number(answers[5]!.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await bob.http('POST', '/v1/runs', { agent: 'echo', input: {} })).status).toBe(202);
  });
});

describe('fairness', () => {
  it("starts bob's run within one free slot of alice's 10,000 waiting ones", async () => {
    await using server = await CarrelServer.start({
      agents: [ScriptedAgentsModule],
      env: { CARREL_USER_MAX_QUEUED: '20000', CARREL_RUN_SLOTS: '2', CARREL_DRAIN_MS: '1' },
    });
    const [alice, bob] = await Promise.all([server.as('alice'), server.as('bob')]);
    const aliceSocket = await alice.connect({ after: 0 });
    const start = () => aliceSocket.emit('run:start', { agent: 'wait', input: { ms: 20 } });
    await Promise.all(Array.from({ length: 10_000 }, start));
    const bobSocket = await bob.connect({ after: 0 });
    const { id } = await bob.start('echo', {});
    await bobSocket.until((event) => event.runId === id && event.type === 'agent_started');
    const run = (await bob.http<{ createdAt: string; startedAt: string }>('GET', `/v1/runs/${id}`)).body;
    // her socket has told of all that began before bob's run when it tells of one that began after it
    await aliceSocket.until(({ type, at }) => type === 'agent_started' && at > run.startedAt, 40_000);
    const begun = aliceSocket.events.filter(({ type, at }) => type === 'agent_started' && at < run.startedAt);
    const meanwhile = begun.filter(({ at }) => at > run.createdAt);
    expect(begun.length).toBeGreaterThan(meanwhile.length);
    expect(meanwhile.length).toBeLessThanOrEqual(1 + 2); // the free slot that alice's turn took, and one tick's both
    expect(begun.length).toBeLessThan(10_000);
  }, 60_000);
});
