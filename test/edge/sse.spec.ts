import { EVENT_JOURNAL, type EventJournal } from '../../src/events/event-journal.port.js';
import { EventBus } from '../../src/events/event-bus.js';
import type { RunEvent } from '../../src/events/run-event.js';
import { EventStreams } from '../../src/edge/event-streams.service.js';
import { newId } from '../../src/shared/ids.js';
import { CarrelServer, type CarrelUser } from '../carrel-server.js';
import { ScriptedAgentsModule } from '../scripted-agents.module.js';
import { SseReader } from './sse-reader.js';

let server: CarrelServer;

beforeAll(async () => {
  server = await CarrelServer.start({ agents: [ScriptedAgentsModule], env: { CARREL_USER_MAX_SOCKETS: '3' } });
});
afterAll(() => server.close());

const open = (user: CarrelUser, path: string, headers: Record<string, string> = {}) =>
  SseReader.open(server.url + path, user.token, headers);
const seqs = (reader: SseReader) => reader.messages.filter(({ id }) => id).map(({ id }) => Number(id));
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

describe('GET /v1/stream', () => {
  it("sends each of the user's events once, in order, from the first on, and nothing of bob's", async () => {
    const [alice, bob] = [await server.as('alice'), await server.as('bob')];
    const before = await alice.start('chatter', { events: 30, text: 'before' });
    await alice.end(before.id);
    const reader = await open(alice, '/v1/stream');
    const [live] = [
      await alice.start('chatter', { events: 30, text: 'live' }),
      await bob.start('echo', { text: 'of bob' }),
    ];
    await reader.until(({ event, data }) => event === 'agent_completed' && data.includes(live.id));
    expect(seqs(reader)).toEqual(range(1, 64));
    for (const { event, id, data } of reader.messages) {
      const envelope = JSON.parse(data) as RunEvent;
      expect([envelope.type, String(envelope.seq)]).toEqual([event, id]);
      expect(data).not.toContain('bob');
    }
    reader.close();
  });

  it('goes on behind Last-Event-ID, which goes before ?after', async () => {
    const carol = await server.as('carol');
    await carol.end((await carol.start('chatter', { events: 8 })).id);
    for (const [path, headers, first] of [
      ['/v1/stream?after=4', {}, 5],
      ['/v1/stream', { 'last-event-id': '7' }, 8],
      ['/v1/stream?after=2', { 'last-event-id': '9' }, 10],
    ] as const) {
      const reader = await open(carol, path, headers);
      await reader.until(({ event }) => event === 'agent_completed');
      expect(seqs(reader)).toEqual(range(first, 10));
      reader.close();
    }
  });

  it.each([
    ['/v1/stream?after=-1', {}],
    ['/v1/stream?after=1.5', {}],
    ['/v1/stream?after=1&after=2', {}],
    ['/v1/stream?before=1', {}],
    ['/v1/stream?after=100000', {}],
    ['/v1/stream', { 'last-event-id': 'yesterday' }],
    ['/v1/stream', { 'last-event-id': '-1' }],
    ['/v1/stream', { 'last-event-id': '99999' }],
  ])('refuses %s with %j', async (path, headers: Record<string, string>) => {
    const dan = await server.as('dan');
    const response = await fetch(server.url + path, { headers: { authorization: `Bearer ${dan.token}`, ...headers } });
    expect(await response.json()).toMatchObject({ status: 400, code: 'invalid_request' });
    expect(server.app.get(EventStreams).count).toBe(0);
  });

  it('says first what retention has removed', async () => {
    const erin = await server.as('erin');
    await erin.end((await erin.start('chatter', { events: 5 })).id);
    await server.app.get<EventJournal>(EVENT_JOURNAL).prune(new Date(8.64e15), 1_000_000);
    const reader = await open(erin, '/v1/stream?after=3');
    const run = await erin.start('echo', { text: 'after' });
    await reader.until(({ event }) => event === 'agent_completed');
    const [gap, ...rest] = reader.messages;
    expect(gap).toEqual({ event: 'stream_gap', id: '7', data: '{"from":4,"to":7}' });
    expect(rest.map(({ id }) => Number(id))).toEqual(range(8, 7 + rest.length));
    expect(rest.every(({ data }) => data.includes(run.id))).toBe(true);
    reader.close();
  });

  it('keeps little in memory for a client that does not read, and misses nothing for it', async () => {
    const fay = await server.as('fay');
    const reader = await open(fay, '/v1/stream');
    reader.pause();
    const written = watchBuffers(server);
    const runs = [];
    for (let i = 0; i < 3; i++) runs.push(await fay.start('chatter', { events: 2_000, text: 'x'.repeat(1_000) }));
    for (const { id } of runs) await fay.end(id);
    expect(written.max()).toBeLessThan(1_000_000);
    reader.resume();
    await reader.until(({ id }) => id === '6006');
    expect(seqs(reader)).toEqual(range(1, 6_006));
    reader.close();
  });

  it('ends with the token', async () => {
    await using exact = await CarrelServer.start({ env: { CARREL_JWT_CLOCK_TOLERANCE_S: '0' } });
    const token = await exact.token('gil', { ttlSeconds: 2 });
    const reader = await SseReader.open(`${exact.url}/v1/stream`, token);
    await reader.ended;
    expect(reader.messages).toEqual([{ event: 'auth_expired', data: '{}' }]);
  });

  it('may be open so many times per user, and gives its place back', async () => {
    const [hal, ivy] = [await server.as('hal'), await server.as('ivy')];
    const readers = [];
    for (let i = 0; i < 3; i++) readers.push(await open(hal, '/v1/stream'));
    await expect(open(hal, '/v1/stream')).rejects.toMatchObject({ status: 429, code: 'too_many_sockets' });
    (await open(ivy, '/v1/stream')).close();
    for (const reader of readers) reader.close();
    await until(() => server.app.get(EventStreams).count === 0);
    (await open(hal, '/v1/stream')).close();
    const { listeners } = server.app.get(EventBus) as unknown as { listeners: Map<string, unknown> };
    await until(() => listeners.size === 0);
  });

  it('has headers that keep proxies from holding it back, and answers HEAD with nothing else', async () => {
    const jo = await server.as('jo');
    const reader = await open(jo, '/v1/stream');
    expect(reader.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(reader.headers.get('cache-control')).toBe('no-cache, no-transform');
    expect(reader.headers.get('x-accel-buffering')).toBe('no');
    expect(reader.headers.get('x-request-id')).toMatch(/^req_/);
    reader.close();
    const head = await fetch(`${server.url}/v1/stream`, {
      method: 'HEAD',
      headers: { authorization: `Bearer ${jo.token}` },
    });
    expect([head.status, head.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8']);
  });
});

describe('GET /v1/runs/:id/stream', () => {
  it("sends one run's events, live, and ends with it", async () => {
    const alice = await server.as('kim');
    const [run, other] = [await alice.start('wait', { ms: 100 }), await alice.start('chatter', { events: 20 })];
    const reader = await open(alice, `/v1/runs/${run.id}/stream`);
    await reader.ended;
    const events = reader.messages.map(({ data }) => JSON.parse(data) as RunEvent);
    expect(events.map(({ runSeq }) => runSeq)).toEqual(range(1, events.length));
    expect(events.at(-1)).toMatchObject({ type: 'agent_completed', runId: run.id });
    expect(events.some(({ runId }) => runId === other.id)).toBe(false);
  });

  it('tells an EventSource that has everything not to come back', async () => {
    const lee = await server.as('lee');
    const run = await lee.start('echo', { text: 'x' });
    await lee.end(run.id);
    const first = await open(lee, `/v1/runs/${run.id}/stream`);
    await first.ended;
    const last = first.messages.at(-1)!.id!;
    const again = await fetch(`${server.url}/v1/runs/${run.id}/stream`, {
      headers: { authorization: `Bearer ${lee.token}`, 'last-event-id': last },
    });
    expect([again.status, await again.text()]).toEqual([204, '']);
  });

  it("answers another user's run like one that never was", async () => {
    const [alice, bob] = [await server.as('alice'), await server.as('bob')];
    const run = await bob.start('echo', { text: 'x' });
    for (const id of [run.id, newId('run')]) {
      await expect(open(alice, `/v1/runs/${id}/stream`)).rejects.toMatchObject({ status: 404, code: 'not_found' });
    }
  });
});

describe('the end of the server', () => {
  it('is told at the end of every stream, after the events of the runs that end meanwhile', async () => {
    const ending = await CarrelServer.start({ agents: [ScriptedAgentsModule] });
    const alice = await ending.as('alice');
    const reader = await SseReader.open(`${ending.url}/v1/stream`, alice.token);
    await alice.start('wait', { ms: 300 });
    await reader.until(({ event }) => event === 'agent_thinking');
    await ending.close();
    await reader.ended;
    expect(reader.messages.map(({ event }) => event)).toEqual([
      'agent_started',
      'agent_thinking',
      'agent_completed',
      'server_draining',
    ]);
    expect(JSON.parse(reader.messages.at(-1)!.data)).toEqual({ reconnectAfterMs: 1_000 });
  });
});

/** What waits in the server to be written to any stream. */
function watchBuffers({ app }: CarrelServer): { max(): number } {
  type Open = { response: { raw: { writableLength: number } } };
  const { byUser } = app.get(EventStreams) as unknown as { byUser: Map<string, Set<Open>> };
  let max = 0;
  app.get<EventJournal>(EVENT_JOURNAL).onCommitted(() => {
    for (const own of byUser.values()) for (const { response } of own) max = Math.max(max, response.raw.writableLength);
  });
  return { max: () => max };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
