import { AgentsGateway } from '../../src/edge/agents.gateway.js';
import { UserFeeds } from '../../src/edge/user-feeds.service.js';
import { ExecutionEngineFactory } from '../../src/execution/execution-engine.factory.js';
import { RunRunner } from '../../src/execution/run-runner.service.js';
import type { RunId } from '../../src/shared/ids.js';
import { CarrelServer, type CarrelUser } from '../carrel-server.js';
import { ScriptedAgentsModule } from '../scripted-agents.module.js';
import { DocumentedClient } from './documented-client.js';

interface Report {
  isolated: boolean;
  checks: { name: string; holds: boolean }[];
  runs: string[];
  liveContexts: number;
  permits: { inUse: number; max: number };
  sockets: number;
  rooms: Record<string, number>;
  streams: number;
}

let server: CarrelServer;
let client: DocumentedClient;
let alice: CarrelUser;
let bob: CarrelUser;

beforeEach(async () => {
  server = await CarrelServer.start({ agents: [ScriptedAgentsModule], env: { CARREL_DRAIN_MS: '0' } });
  client = await DocumentedClient.of(server);
  [alice, bob] = await Promise.all([server.as('alice'), server.as('bob')]);
});
afterEach(() => server.close());

async function reportOf({ token }: CarrelUser): Promise<Report> {
  const { status, body } = await client.call('get', '/v1/me/isolation', { token });
  expect(status).toBe(200);
  return body as Report;
}

const broken = ({ checks }: Report) => checks.filter(({ holds }) => !holds).map(({ name }) => name);
/** What TypeScript keeps private, for staging what no client can bring about. */
const insideOf = <T>(part: unknown) => part as T;

describe('GET /v1/me/isolation', () => {
  it('is nothing but a good verdict for somebody who holds nothing', async () => {
    expect(await reportOf(alice)).toMatchObject({
      isolated: true,
      runs: [],
      liveContexts: 0,
      permits: { inUse: 0, max: 3 },
      sockets: 0,
      rooms: {},
      streams: 0,
    });
  });

  it('counts what alice holds, and none of it for bob', async () => {
    const [first, second] = [await alice.connect({ after: 0 }), await alice.connect({ after: 0 })];
    const hers = await alice.start('wait', { ms: 30_000 });
    const his = await bob.start('wait', { ms: 30_000 });
    await Promise.all([first, second].map((socket) => socket.until(({ type }) => type === 'agent_thinking')));
    const gone = new AbortController();
    const stream = await fetch(`${server.url}/v1/stream`, {
      headers: { authorization: `Bearer ${alice.token}` },
      signal: gone.signal,
    });
    expect(await reportOf(alice)).toMatchObject({
      isolated: true,
      runs: [hers.id],
      liveContexts: 1,
      permits: { inUse: 1 },
      sockets: 2,
      rooms: { 'user:alice': 2 },
      streams: 1,
    });
    const ofBob = await reportOf(bob);
    expect(ofBob).toMatchObject({ isolated: true, runs: [his.id], liveContexts: 1, sockets: 0, rooms: {}, streams: 0 });
    expect(JSON.stringify(ofBob)).not.toMatch(/alice/);
    await stream.body?.cancel();
    gone.abort();
    first.close();
    second.close();
    await alice.http('POST', `/v1/runs/${hers.id}/cancel?wait=true`);
    await until(async () => (await reportOf(alice)).sockets === 0);
    await until(async () => (await reportOf(alice)).streams === 0);
    expect(await reportOf(alice)).toMatchObject({ isolated: true, runs: [], liveContexts: 0, rooms: {} });
    expect(await reportOf(bob)).toMatchObject({ isolated: true, runs: [his.id] });
  });

  it('holds while runs begin and end', async () => {
    const ids: string[] = [];
    for (let i = 0; i < 20; i++) ids.push((await alice.start('echo', { text: `${i}` })).id);
    const reports: Report[] = [];
    const ended = Promise.all(ids.map((id) => alice.http('POST', `/v1/runs/${id}/cancel?wait=true`)));
    for (let i = 0; i < 20; i++) reports.push(await reportOf(alice));
    await ended;
    expect(reports.flatMap(broken)).toEqual([]);
  });

  it('looks again when a run ends between two figures', async () => {
    const factory = server.app.get(ExecutionEngineFactory);
    const counted = [1, 1, 0];
    factory.liveContextsOf = () => counted.shift() ?? 0;
    expect(await reportOf(alice)).toMatchObject({ isolated: true, liveContexts: 0 });
    expect(counted).toEqual([]);
    factory.liveContextsOf = () => 1;
    expect(broken(await reportOf(alice))).toEqual(['contexts_have_runs']);
  });

  it("says so when bob's socket is in alice's room, to both of them, and names nobody", async () => {
    await alice.connect();
    await bob.connect();
    const { namespace } = insideOf<{ namespace: Namespace }>(server.app.get(AgentsGateway));
    const ofBob = [...namespace.sockets.values()].find(({ rooms }) => rooms.has('user:bob'))!;
    await ofBob.join('user:alice');
    const [hers, his] = [await reportOf(alice), await reportOf(bob)];
    expect([hers.isolated, broken(hers)]).toEqual([false, ['room_is_mine']]);
    expect([his.isolated, broken(his)]).toEqual([false, ['sockets_in_no_other_room']]);
    expect(JSON.stringify(hers)).not.toMatch(/bob/);
    expect(JSON.stringify(his)).not.toMatch(/alice/);
    await ofBob.leave('user:alice');
    expect(broken(await reportOf(alice))).toEqual([]);
    expect(broken(await reportOf(bob))).toEqual([]);
  });

  it('says so when a place is taken that no socket has', async () => {
    const place = server.app.get(UserFeeds).take(insideOf('alice'), () => ({ emit: () => true }));
    expect(broken(await reportOf(alice))).toEqual(['sockets_have_places']);
    place.release();
    expect(broken(await reportOf(alice))).toEqual([]);
  });

  it('says so when something runs without a permit, or for somebody else', async () => {
    const run = await bob.start('wait', { ms: 30_000 });
    const runner = insideOf<{ active: Map<RunId, { ref: { userId: string; runId: string } }> }>(
      server.app.get(RunRunner),
    );
    runner.active.set(insideOf('run_stray'), { ref: { userId: 'alice', runId: run.id } });
    const hers = await reportOf(alice);
    expect(broken(hers)).toEqual(['runs_are_mine', 'engines_have_permits']);
    expect(broken(await reportOf(bob))).toEqual([]);
    runner.active.delete(insideOf('run_stray'));
    expect(broken(await reportOf(alice))).toEqual([]);
  });
});

describe('GET /v1/admin/execution', () => {
  it('is for operators, and has totals of everybody and names of nobody', async () => {
    const run = await alice.start('wait', { ms: 30_000 });
    const socket = await alice.connect();
    for (const roles of [[], ['admin'], ['carrel:operators']]) {
      const token = await server.token('alice', { roles });
      const { body } = await client.call('get', '/v1/admin/execution', { token });
      expect(body).toMatchObject({ status: 403, code: 'forbidden' });
    }
    const token = await server.token('olga', { roles: ['carrel:operator'] });
    const { body } = await client.call('get', '/v1/admin/execution', { token });
    expect(body).toMatchObject({
      runs: { active: 1, slots: 64 },
      engines: { active: 1 },
      sockets: 1,
      streams: 0,
      deliveryLagMs: { p50: expect.any(Number), p99: expect.any(Number) },
    });
    expect(JSON.stringify(body)).not.toMatch(/alice|run_/);
    await alice.http('POST', `/v1/runs/${run.id}/cancel?wait=true`);
    socket.close();
  });
});

interface Namespace {
  sockets: Map<string, { rooms: Set<string>; join(room: string): unknown; leave(room: string): unknown }>;
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setImmediate(resolve));
}
