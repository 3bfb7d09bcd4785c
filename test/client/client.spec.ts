import { CarrelClient } from '../../src/client/carrel-client.js';
import { CarrelClientError } from '../../src/client/client-error.js';
import type { ClientStatus, EventGap } from '../../src/client/live-feed.js';
import type { RunEvent } from '../../src/events/run-event.js';
import { AskingModule } from '../asking-agents.module.js';
import { CarrelServer } from '../carrel-server.js';
import { ScriptedAgentsModule } from '../scripted-agents.module.js';
import { CuttableNetwork } from './cuttable-network.js';

let server: CarrelServer;
let network: CuttableNetwork;

beforeAll(async () => {
  server = await CarrelServer.start({
    agents: [ScriptedAgentsModule, AskingModule],
    env: { CARREL_JWT_CLOCK_TOLERANCE_S: '0' },
  });
  network = await CuttableNetwork.before(server.url);
});
afterAll(async () => {
  await network[Symbol.asyncDispose]();
  await server.close();
});

function clientOf(userId: string, options: { ttlSeconds?: number; url?: string; transport?: 'sse' | 'socket' } = {}) {
  const { ttlSeconds, url = server.url, transport } = options;
  return new CarrelClient({ url, token: () => server.token(userId, { ttlSeconds }), transport });
}

async function failureOf(promise: Promise<unknown>): Promise<CarrelClientError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(CarrelClientError);
  return error as CarrelClientError;
}

async function taken(events: AsyncIterable<RunEvent>, count: number): Promise<RunEvent[]> {
  const list: RunEvent[] = [];
  for await (const event of events) if (list.push(event) === count) break;
  return list;
}

describe('a run', () => {
  it.each(['socket', 'sse'] as const)('is watched from its first event to its last, over %s', async (transport) => {
    using alice = clientOf('alice', { transport });
    const run = await alice.runs.start({ agent: 'echo', input: { text: 'hello' } });
    const types: string[] = [];
    for await (const event of run.events()) types.push(event.type);
    expect(types).toEqual(['agent_started', 'agent_thinking', 'tool_executing', 'tool_completed', 'agent_completed']);
    expect(await run.result()).toMatchObject({ status: 'completed', result: { text: 'hello', userId: 'alice' } });
  });

  it('is started over the socket while that is open, and told of at once', async () => {
    using alice = clientOf('alice');
    const events = alice.events();
    const first = events.next();
    await until(alice, ({ state }) => state === 'online');
    const run = await alice.runs.start({ agent: 'echo', input: { text: 'by socket' } });
    expect((await first).value).toMatchObject({ type: 'agent_started', runId: run.id });
    await events.return();
  });

  it('is one run, however often its start is asked for because nobody answered', async () => {
    using alice = clientOf('alice', { url: network.url });
    network.answersToLose = 2;
    const run = await alice.runs.start({ agent: 'echo', input: { text: 'again' }, threadId: 'lost-answers' });
    await run.result();
    expect(network.answersToLose).toBe(0);
    expect((await alice.runs.list({ threadId: 'lost-answers' })).items.map(({ id }) => id)).toEqual([run.id]);
  });

  it('is cancelled, and done again', async () => {
    using alice = clientOf('alice');
    const run = await alice.runs.start({ agent: 'wait', input: { ms: 60_000 } });
    expect(await run.cancel({ wait: true })).toMatchObject({ status: 'cancelled' });
    const again = await run.retry();
    expect(again.id).not.toBe(run.id);
    await again.cancel({ wait: true });
  });

  it('is not found by bob, in the words of a run that never was', async () => {
    using alice = clientOf('alice');
    using bob = clientOf('bob');
    const { id } = await alice.runs.start({ agent: 'echo', input: {} });
    const [foreign, none] = await Promise.all([
      failureOf(bob.runs.of(id).result()),
      failureOf(bob.runs.find(`${id.slice(0, -1)}${id.endsWith('0') ? '1' : '0'}`)),
    ]);
    expect(foreign).toMatchObject({ code: 'not_found', status: 404 });
    expect(foreign.message).toBe(none.message);
  });

  it('that asks is answered', async () => {
    using alice = clientOf('alice');
    const run = await alice.runs.start({ agent: 'asks', input: {} });
    for await (const event of run.events()) if (event.type === 'agent_suspended') break;
    const [question] = (await alice.approvals.list({ runId: run.id })).items;
    await alice.approvals.decide(question!.id, { decision: 'answer', answer: 'so so', hash: question!.hash });
    expect(await run.result()).toMatchObject({ status: 'completed', result: 'so so' });
  });
});

describe('errors', () => {
  it('have the code of the problem, and its facts', async () => {
    using alice = clientOf('alice');
    const unknown = await failureOf(alice.runs.start({ agent: 'nobody', input: {} }));
    expect(unknown).toMatchObject({ code: 'unknown_agent' });
    const invalid = await failureOf(alice.runs.start({ agent: 'chatter', input: { events: 'many' } }));
    expect(invalid).toMatchObject({ code: 'invalid_input', status: 422 });
    expect(invalid.details.issues).toBeDefined();
  });

  it('say that the server can not be reached, or that the token is none', async () => {
    using nowhere = new CarrelClient({ url: 'http://127.0.0.1:9', token: () => 'none' });
    expect(await failureOf(nowhere.agents.list())).toMatchObject({ code: 'unreachable' });
    using stranger = new CarrelClient({ url: server.url, token: () => 'none' });
    expect(await failureOf(stranger.me.find())).toMatchObject({ code: 'unauthenticated', status: 401 });
    expect(await failureOf(stranger.events().next())).toMatchObject({ code: 'unauthenticated' });
    using overSse = new CarrelClient({ url: server.url, token: () => 'none', transport: 'sse' });
    expect(await failureOf(overSse.events().next())).toMatchObject({ code: 'unauthenticated' });
  });

  it('end what waits when the caller gives up, or the client is closed', async () => {
    const alice = clientOf('alice');
    const run = await alice.runs.start({ agent: 'wait', input: { ms: 60_000 } });
    const reason = new Error('enough');
    const givingUp = new AbortController();
    const waiting = run.result({ signal: givingUp.signal });
    givingUp.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    const closed = failureOf(run.result());
    await new Promise(setImmediate);
    await run.cancel();
    alice.close();
    expect(['closed', 'unreachable']).toContain((await closed).code);
  });
});

describe('events', () => {
  it('come from any number on, also those that are long past', async () => {
    using carol = clientOf('carol');
    await (await carol.runs.start({ agent: 'chatter', input: { events: 500 } })).result();
    const all = await taken(carol.events({ after: 0 }), 502);
    expect(all.map(({ seq }) => seq)).toEqual(Array.from({ length: 502 }, (_, i) => i + 1));
    expect((await taken(carol.events({ after: 500 }), 2)).map(({ seq }) => seq)).toEqual([501, 502]);
  });

  it('wait for a reader that is slow, in the journal and not in memory', async () => {
    using dora = clientOf('dora');
    const events = dora.events();
    const first = events.next();
    await until(dora, ({ state }) => state === 'online');
    const run = await dora.runs.start({ agent: 'chatter', input: { events: 3_000 } });
    const seqs = [(await first).value!.seq];
    await run.result(); // the loop stands still meanwhile, and its queue has overflowed
    const { fetch } = globalThis;
    let pages = 0;
    globalThis.fetch = (...request) => {
      pages += 1;
      return fetch(...request);
    };
    for await (const event of events) {
      seqs.push(event.seq);
      if (event.type === 'agent_completed') break;
    }
    expect(seqs).toEqual(Array.from({ length: 3_002 }, (_, i) => i + 1));
    expect(pages).toBeGreaterThan(10);
    globalThis.fetch = fetch;
  });

  it.each(['socket', 'sse'] as const)(
    'go on behind a token that ends, with the next one, over %s',
    async (transport) => {
      const userId = `erin-${transport}`;
      let ttlSeconds = 1;
      using erin = new CarrelClient({ url: server.url, token: () => server.token(userId, { ttlSeconds }), transport });
      const other = await server.as(userId);
      const seqs: number[] = [];
      const events = erin.events({ after: 0 });
      const read = async (count: number) => {
        for (let i = 0; i < count; i++) seqs.push((await events.next()).value!.seq);
      };
      await other.start('echo', { text: 'before' });
      await read(5);
      ttlSeconds = 3_600;
      await until(erin, ({ state }) => state === 'offline');
      await other.start('echo', { text: 'after' });
      await read(5);
      expect(seqs).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    },
    20_000,
  );

  it('fall back to server-sent events where no socket gets through', async () => {
    network.blocksSockets = true;
    using frank = clientOf('frank', { url: network.url });
    const events = frank.events({ after: 0 });
    await (await server.as('frank')).start('echo', { text: 'by another way' });
    expect((await taken(events, 5)).map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
    network.blocksSockets = false;
  }, 20_000);

  it('are caught up with after a cut, and the status says how far', async () => {
    using grace = clientOf('grace', { url: network.url });
    const statuses: ClientStatus[] = [];
    grace.onStatus((status) => statuses.push(status));
    const events = grace.events({ after: 0 });
    const other = await server.as('grace');
    await other.start('echo', { text: 'before' });
    for (let i = 0; i < 5; i++) await events.next();
    network.down();
    const run = await other.start('chatter', { events: 300 });
    await other.end(run.id);
    network.up();
    const rest = await taken(events, 302);
    expect(rest.map(({ seq }) => seq)).toEqual(Array.from({ length: 302 }, (_, i) => i + 6));
    const states = statuses.map(({ state }) => state);
    expect(states.slice(0, 2)).toEqual(['online', 'offline']);
    expect(statuses.find(({ state }) => state === 'catching_up')).toMatchObject({ behind: expect.any(Number) });
    expect(grace.status).toEqual({ state: 'offline' }); // nobody reads any more
  }, 20_000);

  it('that the server has removed are told of', async () => {
    using heidi = clientOf('heidi');
    await (await heidi.runs.start({ agent: 'chatter', input: { events: 20 } })).result();
    const { EVENT_JOURNAL } = await import('../../src/events/event-journal.port.js');
    await server.app
      .get<{ prune(before: Date, limit: number): Promise<number> }>(EVENT_JOURNAL)
      .prune(new Date(Date.now() + 1_000), 10_000);
    await (await heidi.runs.start({ agent: 'echo', input: {} })).result();
    const gaps: EventGap[] = [];
    const events = await taken(heidi.events({ after: 0, onGap: (gap) => gaps.push(gap) }), 5);
    expect(gaps).toEqual([{ from: 1, to: events[0]!.seq - 1 }]);
  });
});

/** Resolves when the client's status fits. */
function until(client: CarrelClient, fits: (status: ClientStatus) => boolean): Promise<void> {
  return new Promise((resolve) => {
    if (fits(client.status)) return resolve();
    const stop = client.onStatus((status) => {
      if (!fits(status)) return;
      stop();
      resolve();
    });
  });
}
