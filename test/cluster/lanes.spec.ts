import { Cluster } from '../servers/cluster.js';
import { expectWhole, mostAtOnce } from './cluster-checks.js';
import { ClusterUser } from './cluster-user.js';

const USERS = 60;
const RUNS_OF_EACH = 8;
const K = 3;
/** Of each node: users want more than all of them have. */
const SLOTS = 16;
const NODES = 3;

describe(`the lanes of ${USERS} users on ${NODES} nodes`, () => {
  it('never have more than K runs of a user at work, nor more than there are slots, while nodes are killed and started', async () => {
    await using cluster = await Cluster.start(
      {},
      { CARREL_USER_MAX_RUNNING: String(K), CARREL_USER_MAX_QUEUED: '1000', CARREL_RUN_SLOTS: String(SLOTS) },
    );
    const names = ['alice', 'bob', ...Array.from({ length: USERS - 2 }, (_, i) => `user-${i}`)];
    const users = await Promise.all(names.map((name) => ClusterUser.of(cluster, name)));
    for (const user of users) user.follow();
    const starting = users.flatMap((user) =>
      Array.from({ length: RUNS_OF_EACH }, (_, i) => user.start('work', { ms: 60 + 30 * (i % 5), text: user.id })),
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

    const records = cluster.records();
    const ofUsers = mostAtOnce(records, deaths, ({ userId }) => userId);
    const ofNodes = mostAtOnce(records, deaths, ({ pid }) => pid);
    const [ofAll] = mostAtOnce(records, deaths, () => 'all').values();
    expect([...ofUsers.keys()].toSorted()).toEqual(names.toSorted());
    expect(Math.max(...ofUsers.values())).toBeLessThanOrEqual(K);
    expect(Math.max(...ofNodes.values())).toBeLessThanOrEqual(SLOTS);
    expect(ofAll).toBeLessThanOrEqual(NODES * SLOTS);
    // or nothing was shown
    expect(Math.max(...ofUsers.values())).toBe(K);
    expect(Math.max(...ofNodes.values())).toBeGreaterThan(SLOTS / 2);
    expect(ofAll).toBeGreaterThan(SLOTS);
    expect(ofNodes.size).toBeGreaterThanOrEqual(NODES);
  }, 120_000);
});
