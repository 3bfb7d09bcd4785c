import { Cluster } from '../servers/cluster.js';
import { expectWhole, mostAtOnce } from './cluster-checks.js';
import { ClusterUser } from './cluster-user.js';

const USERS = 12;
const RUNS_OF_EACH = 12;
const K = 3;

describe('the lanes of many users on three nodes', () => {
  it('never have more than K runs of a user at work, while nodes are killed and started', async () => {
    await using cluster = await Cluster.start(
      {},
      { CARREL_USER_MAX_RUNNING: String(K), CARREL_USER_MAX_QUEUED: '1000', CARREL_RUN_SLOTS: '16' },
    );
    const names = ['alice', 'bob', ...Array.from({ length: USERS - 2 }, (_, i) => `user-${i}`)];
    const users = await Promise.all(names.map((name) => ClusterUser.of(cluster, name)));
    for (const user of users) user.follow();
    const starting = users.flatMap((user) =>
      Array.from({ length: RUNS_OF_EACH }, (_, i) => user.start('work', { ms: 20 + 15 * (i % 5), text: user.id })),
    );
    const deaths = new Map<number, number>();
    for (let n = 0; n < 2; n++) {
      await users[n]!.until(({ type }) => type === 'agent_completed');
      const victim = cluster.nodes[0]!;
      deaths.set(victim.pid, await cluster.kill(victim));
      await cluster.add();
    }
    await Promise.all(starting);
    await Promise.all(users.map((user) => user.untilAllEnded()));
    for (const user of users) user.leave();
    await expectWhole(cluster, users);
    const most = mostAtOnce(cluster.records(), deaths);
    expect([...most.keys()].toSorted()).toEqual(names.toSorted());
    expect(Math.max(...most.values())).toBeLessThanOrEqual(K);
    // or nothing was shown
    expect(Math.max(...most.values())).toBe(K);
    expect(new Set(cluster.records().map(({ pid }) => pid)).size).toBeGreaterThanOrEqual(3);
  }, 120_000);
});
