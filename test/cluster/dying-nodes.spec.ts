import { Cluster, recordsNow } from '../servers/cluster.js';
import { expectWhole } from './cluster-checks.js';
import { ClusterUser } from './cluster-user.js';
import type { CarrelProcess } from '../carrel-process.js';

/** A node is dead for the others after 12 s, and they look for what it carried every two seconds or so. */
const NOTICED_MS = 15_000;

describe('nodes that die', () => {
  let cluster: Cluster;
  let alice: ClusterUser;
  let bob: ClusterUser;

  beforeEach(async () => {
    cluster = await Cluster.start();
    [alice, bob] = [await ClusterUser.of(cluster, 'alice'), await ClusterUser.of(cluster, 'bob')];
  }, 60_000);
  afterEach(async () => {
    alice.leave();
    bob.leave();
    await cluster[Symbol.asyncDispose]();
  });

  /** The node that carries the run. */
  async function carrierOf(runId: string): Promise<CarrelProcess> {
    for (;;) {
      const record = cluster.records().find((one) => one.runId === runId);
      const node = record && cluster.nodes.find(({ pid }) => pid === record.pid);
      if (node) return node;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  it('killed: are noticed in time, and every run that was accepted ends, once', async () => {
    for (const user of [alice, bob]) user.follow();
    const long = await alice.start('work', { ms: 6_000, againMs: 1 });
    const once = await bob.start('work-once', { ms: 6_000 });
    for (const user of [alice, bob]) await user.until(({ type }) => type === 'tool_executing');
    const [hers, his] = [await carrierOf(long), await carrierOf(once)];
    await Promise.all([...new Set([hers, his])].map((node) => cluster.kill(node)));
    const killedAtMs = recordsNow();
    const others = await Promise.all([alice, bob].map((user) => user.start('work', { ms: 10 })));
    await Promise.all(others.map((id, i) => [alice, bob][i]!.untilEnd(id)));
    expect(recordsNow() - killedAtMs).toBeLessThan(8_000);

    expect(await bob.untilEnd(once)).toMatchObject({ data: { status: 'failed', error: { code: 'interrupted' } } });
    expect(recordsNow() - killedAtMs).toBeLessThan(NOTICED_MS + 1_000);
    expect(await alice.untilEnd(long)).toMatchObject({ type: 'agent_completed', attempt: 2 });
    const again = cluster.records().find(({ runId, attempt }) => runId === long && attempt === 2)!;
    expect(again.pid).not.toBe(hers.pid);
    expect(again.atMs - killedAtMs).toBeLessThan(NOTICED_MS);
    await expectWhole(cluster, [alice, bob]);
  }, 90_000);

  it('stopped for longer than they count as alive, and woken: write nothing of what others have taken', async () => {
    for (const user of [alice, bob]) user.follow();
    const again = await alice.start('work', { ms: 1_000 });
    const once = await bob.start('work-once', { ms: 1_000 });
    const frozen = new Set<CarrelProcess>();
    for (const runId of [again, once]) frozen.add(await carrierOf(runId));
    for (const node of frozen) node.signal('SIGSTOP');
    const living = await cluster.add(); // both may have been on all there were
    for (const user of [alice, bob]) user.follow(living);
    await Promise.all([alice.untilEnd(again), bob.untilEnd(once)]);
    const heard = [alice, bob].map((user) => user.heard.length);
    const woken = Promise.all([...frozen].map((node) => node.line(/is left to the other nodes/)));
    for (const node of frozen) node.signal('SIGCONT');
    await woken;
    await Promise.all([...frozen].map((node) => isReady(node)));
    expect([alice, bob].map((user) => user.heard.length)).toEqual(heard);
    expect(alice.heard.at(-1)).toMatchObject({ type: 'agent_completed', attempt: 2 });
    expect(bob.heard.at(-1)).toMatchObject({ type: 'agent_error', data: { error: { code: 'interrupted' } } });
    // it is a node like the others again
    for (const node of frozen) {
      for (const other of cluster.nodes.filter((one) => one !== node)) await cluster.kill(other);
      await alice.untilEnd(await alice.start('work', { ms: 1 }));
      break;
    }
    await expectWhole(cluster, [alice, bob]);
  }, 90_000);

  /** Resolves when it is a node again. */
  async function isReady(node: CarrelProcess): Promise<void> {
    while (!(await alice.ask(node, 'GET', '/ready'))?.ok) await new Promise((resolve) => setTimeout(resolve, 50));
  }
});
