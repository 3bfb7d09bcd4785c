import { Cluster } from '../servers/cluster.js';
import { expectWhole } from './cluster-checks.js';
import { ClusterUser } from './cluster-user.js';
import { shiftedBy } from './faults.js';

/** Longer than a node may be silent. */
const TOGETHER_MS = 16_000;

describe('nodes whose clocks differ by five minutes', () => {
  it('take each other neither for dead nor for alive by the time of day', async () => {
    await using cluster = await Cluster.start({ roles: ['all'] });
    const minutes = 5 * 60_000;
    for (const byMs of [minutes, -minutes]) {
      await cluster.add('all', shiftedBy(byMs));
    }
    const users = await Promise.all(['alice', 'bob'].map((name) => ClusterUser.of(cluster, name)));
    for (const user of users) user.follow();
    const long = await Promise.all(
      users.flatMap((user) => [1, 2, 3].map(() => user.start('work', { ms: TOGETHER_MS }))),
    );
    for (const [i, runId] of long.entries()) {
      expect(await users[Math.floor(i / 3)]!.untilEnd(runId)).toMatchObject({ type: 'agent_completed', attempt: 1 });
    }
    expect(new Set(cluster.records().map(({ pid }) => pid)).size).toBeGreaterThan(1);
    const states = await Promise.all(cluster.nodes.map((node) => users[0]!.ask(node, 'GET', '/ready')));
    expect(states.map((state) => state?.status)).toEqual([200, 200, 200]);
    expect(cluster.nodes.flatMap(({ output }) => output).filter((line) => line.includes('other nodes'))).toEqual([]);
    const times = users.flatMap(({ heard }) => heard).map(({ at }) => Date.parse(at));
    expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(minutes / 2); // they did differ
    for (const user of users) user.leave();
    await expectWhole(cluster, users);
  }, 90_000);
});
