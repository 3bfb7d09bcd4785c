import { io } from 'socket.io-client';
import { Cluster } from '../servers/cluster.js';
import { expectWhole } from './cluster-checks.js';
import { ClusterUser } from './cluster-user.js';

/** A look for runs that got lost finds them after five seconds. */
const AT_ONCE_MS = 4_000;

describe('nodes with roles', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await Cluster.start({ roles: ['api'] }, { CARREL_DRAIN_MS: '300', CARREL_LOG_LEVEL: 'info' });
  }, 60_000);
  afterAll(() => cluster[Symbol.asyncDispose]());

  it('an api takes what workers carry out, and hands what one can not end to the next at once', async () => {
    const [api] = cluster.nodes;
    const alice = await ClusterUser.of(cluster, 'alice');
    const bob = await ClusterUser.of(cluster, 'bob');
    for (const user of [alice, bob]) user.follow(api);
    const early = await alice.start('work', { ms: 1 });
    const waiting = await (await alice.ask(api, 'GET', `/v1/runs/${early}`))?.json();
    expect(waiting).toMatchObject({ status: 'queued', attempt: 0 });
    expect(() => cluster.records()).toThrow('ENOENT'); // nobody was at work yet

    const worker = await cluster.add('worker');
    await worker.line(/carries out runs; it serves/);
    await api!.line(/takes requests; other nodes carry out the runs/);
    expect((await alice.untilEnd(early)).type).toBe('agent_completed');
    expect(cluster.records().map(({ pid }) => pid)).toEqual([worker.pid, worker.pid]);
    cluster.nodes.pop(); // users reach the api alone

    const [again, once] = [
      await alice.start('work', { ms: 10_000, againMs: 1 }),
      await bob.start('work-once', { ms: 60_000 }),
    ];
    for (const [user, id] of [
      [alice, again],
      [bob, once],
    ] as const) {
      await user.until(({ runId, type }) => runId === id && type === 'tool_executing');
    }
    const next = await cluster.add('worker');
    cluster.nodes.pop();
    expect(await worker.stop()).toBe(0);
    expect(await bob.untilEnd(once)).toMatchObject({ data: { error: { code: 'interrupted' } } });
    expect(await alice.untilEnd(again)).toMatchObject({ type: 'agent_completed', attempt: 2 });
    const [, ended, begun] = cluster.records().filter(({ runId }) => runId === again);
    expect([ended, begun]).toMatchObject([
      { what: 'end', attempt: 1, pid: worker.pid },
      { what: 'begin', attempt: 2, pid: next.pid },
    ]);
    expect(begun!.atMs - ended!.atMs).toBeLessThan(AT_ONCE_MS);
    for (const user of [alice, bob]) user.leave();
    await expectWhole(cluster, [alice, bob]);
    expect(await cluster.sql('SELECT role FROM nodes ORDER BY role')).toEqual([{ role: 'api' }, { role: 'worker' }]);
  }, 60_000);

  it('one that can not start says why and ends, whatever it is connected to', async () => {
    await expect(cluster.add('all', { BROKEN_AGENT: 'yes' })).rejects.toThrow(
      /ended \(1\)[^]*carrel: invalid_agent: .*broken/i,
    );
  }, 30_000);

  it('a worker has doors for machines, and none for users', async () => {
    const worker = await cluster.add('worker');
    const alice = await ClusterUser.of(cluster, 'alice');
    const statusOf = async (path: string) => (await alice.ask(worker, 'GET', path))?.status;
    for (const path of ['/health', '/ready', '/metrics', '/info'])
      expect([path, await statusOf(path)]).toEqual([path, 200]);
    for (const path of ['/v1/agents', '/v1/runs', '/v1/admin/nodes', '/docs', '/docs-json', '/console/'])
      expect([path, await statusOf(path)]).toEqual([path, 404]);
    expect(await (await alice.ask(worker, 'GET', '/info'))!.json()).toMatchObject({
      profile: 'distributed',
      role: 'worker',
    });
    const auth = { token: alice.token };
    const socket = io(`${worker.url}/agents`, { auth, transports: ['websocket'], reconnection: false, forceNew: true });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect_error', () => resolve());
      socket.once('connect', () => reject(new Error('a worker has let a socket in')));
    });
    socket.disconnect();
  }, 60_000);
});
