import { isTerminal, type RunJson } from '../carrel-server.js';
import { Cluster, recordsNow } from '../servers/cluster.js';
import { expectWhole } from './cluster-checks.js';
import { ClusterUser } from './cluster-user.js';

const VISITORS = 12;
const RUNS_OF_EACH = 6;
const BACKLOG = 1_000;
/** Requests of one user at a time. */
const AT_A_TIME = 40;
const K = 3;

describe('users who share three nodes', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    // as many slots on all nodes as one user may have
    const env = { CARREL_RUN_SLOTS: '1', CARREL_USER_MAX_RUNNING: String(K), CARREL_USER_MAX_QUEUED: '10000' };
    cluster = await Cluster.start({}, env);
  }, 60_000);
  afterAll(() => cluster[Symbol.asyncDispose]());

  it('hear of their own runs alone, on every node, under the same thread ids and idempotency keys', async () => {
    const visitors = await Promise.all(
      Array.from({ length: VISITORS }, async (_, i) => {
        const users = await Promise.all(cluster.nodes.map((node) => cluster.as(`user-${i}`, node)));
        const sockets = await Promise.all(
          [users[i % 3]!, users[(i + 1) % 3]!].map((user) => user.connect({ after: 0 })),
        );
        return { users, sockets, canary: `canary${String(i).padStart(3, '0')}x`, texts: [] as string[] };
      }),
    );
    await Promise.all(
      visitors.map(async ({ users, sockets, canary, texts }, i) => {
        const ids: string[] = [];
        for (let n = 0; n < RUNS_OF_EACH; n++) {
          const body = { agent: 'work', input: { ms: n, text: canary }, threadId: `thread-${n % 2}` };
          const key = { 'idempotency-key': `key-${n}` };
          // once more at another node: it is the same run
          const [first, again] = [users[(i + n) % 3]!, users[(i + n + 1) % 3]!];
          const one = await first.http<RunJson>('POST', '/v1/runs', body, key);
          const other = await again.http<RunJson>('POST', '/v1/runs', body, key);
          expect([one.status, other.body.id]).toEqual([202, one.body.id]);
          texts.push(one.text, other.text);
          ids.push(one.body.id);
        }
        for (const socket of sockets) {
          for (const id of ids) await socket.until((event) => event.runId === id && isTerminal(event));
        }
        for (const user of users) {
          for (const path of ['/v1/runs', '/v1/threads', '/v1/events?after=0', '/v1/me/usage', '/v1/me/queue'])
            texts.push((await user.http('GET', path)).text);
        }
      }),
    );
    for (const { sockets, canary, texts } of visitors) {
      expect(sockets[0]!.events.map(({ seq }) => seq)).toEqual(sockets[0]!.events.map((_, i) => i + 1));
      expect(sockets[1]!.events).toEqual(sockets[0]!.events);
      const all = [...texts, ...sockets.map(({ events }) => JSON.stringify(events))].join('\n');
      expect([...new Set(all.match(/canary\d{3}x/g))]).toEqual([canary]);
    }
  }, 60_000);

  it(`start after no more runs of another than may stand in line, though she has ${BACKLOG} before them`, async () => {
    const [alice, bob] = [await ClusterUser.of(cluster, 'alice'), await ClusterUser.of(cluster, 'bob')];
    bob.follow();
    let left = BACKLOG;
    const starting = Array.from({ length: AT_A_TIME }, async () => {
      while (left-- > 0) await alice.start('work', { ms: 300 });
    });
    await Promise.all(starting);
    for (let i = 0; i < 3; i++) {
      const id = await bob.start('work', { ms: 1 });
      const acceptedAtMs = recordsNow();
      await bob.untilEnd(id);
      const records = cluster.records();
      const begunAtMs = records.find(({ runId, what }) => runId === id && what === 'begin')!.atMs;
      const hers = records.filter(({ userId, what }) => userId === 'alice' && what === 'begin');
      expect(hers.filter(({ atMs }) => atMs > acceptedAtMs && atMs < begunAtMs).length).toBeLessThanOrEqual(K);
      expect(hers.length).toBeLessThan(BACKLOG); // she waits still
    }
    bob.leave();
    await expectWhole(cluster, [bob]);
  }, 90_000);
});
