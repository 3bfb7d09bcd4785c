import { Cluster } from '../servers/cluster.js';
import { expectWhole } from './cluster-checks.js';
import { ClusterUser } from './cluster-user.js';

describe('a rolling restart of all nodes under load', () => {
  it('ends in order, tells the sockets, and loses nothing', async () => {
    await using cluster = await Cluster.start({}, { CARREL_DRAIN_MS: '200', CARREL_USER_MAX_QUEUED: '1000' });
    const users = await Promise.all(['alice', 'bob', 'carol'].map((name) => ClusterUser.of(cluster, name)));
    for (const user of users) user.follow();
    const over = new AbortController();
    const starting = users.map(async (user) => {
      for (let i = 0; !over.signal.aborted; i++) {
        // some take longer than a node waits for them
        await user.start('work', { ms: i % 8 === 0 ? 1_000 : 20, text: user.id });
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    });
    for (const node of cluster.nodes.slice()) {
      const socket = await (await cluster.as('alice', node)).connect();
      await cluster.add();
      const told = socket.notice('server_draining');
      const exit = cluster.stop(node);
      expect(await told).toEqual({ reconnectAfterMs: expect.any(Number) });
      expect(await exit).toBe(0);
    }
    over.abort();
    await Promise.all(starting);
    await Promise.all(users.map((user) => user.untilAllEnded()));
    for (const user of users) user.leave();
    await expectWhole(cluster, users);
    // what no node could end was put back, and went on at once
    expect(users.flatMap(({ heard }) => heard).filter(({ type }) => type === 'agent_error')).toEqual([]);
    expect(await cluster.sql('SELECT count(*)::int AS nodes FROM nodes')).toEqual([{ nodes: 3 }]);
  }, 90_000);
});
