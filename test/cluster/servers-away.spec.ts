import { Cluster } from '../servers/cluster.js';
import { expectWhole } from './cluster-checks.js';
import { ClusterUser } from './cluster-user.js';

const RUNS_OF_EACH = 30;

describe('nodes whose servers fail under load', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    // fewer slots than places in the lanes, so that runs wait in Redis
    cluster = await Cluster.start({}, { CARREL_RUN_SLOTS: '1', CARREL_USER_MAX_QUEUED: '1000' });
  }, 60_000);
  afterAll(() => cluster[Symbol.asyncDispose]());

  /** Three users start runs, while `trouble` happens in the middle of it. */
  async function underLoad(story: string, trouble: (users: readonly ClusterUser[]) => Promise<void>): Promise<void> {
    const users = await Promise.all(
      ['alice', 'bob', 'carol'].map((name) => ClusterUser.of(cluster, `${name}-${story}`)),
    );
    for (const user of users) user.follow();
    const starting = users.map(async (user) => {
      for (let i = 0; i < RUNS_OF_EACH; i++) await user.start('work', { ms: 10 * (i % 4), text: user.id });
    });
    await users[0]!.until(({ type }) => type === 'agent_completed');
    await trouble(users);
    await Promise.all(starting);
    await Promise.all(users.map((user) => user.untilAllEnded()));
    for (const user of users) user.leave();
    await expectWhole(cluster, users);
  }

  it('lose nothing when Redis is emptied, again and again', async () => {
    await underLoad('flush', async ([alice]) => {
      for (let i = 0; i < 3; i++) {
        const before = alice!.heard.length;
        await cluster.redis.flush();
        await alice!.until(() => alice!.heard.length > before + 3);
      }
    });
  }, 60_000);

  it('lose nothing when Redis is killed, and go on while it is away', async () => {
    await underLoad('redis', async ([alice]) => {
      await cluster.redis.kill();
      const before = alice!.heard.length;
      await alice!.until(() => alice!.heard.length > before + 10);
      await cluster.redis.restart();
    });
  }, 60_000);

  it('cancel a run for whoever asks another node while Redis is away', async () => {
    const erin = await ClusterUser.of(cluster, 'erin');
    erin.follow();
    const id = await erin.start('work', { ms: 60_000, text: 'erin' });
    await erin.until(({ runId, type }) => runId === id && type === 'tool_executing');
    const { pid } = cluster.records().findLast(({ runId }) => runId === id)!;
    await cluster.redis.kill();
    const other = cluster.nodes.find((node) => node.pid !== pid);
    expect((await erin.ask(other, 'POST', `/v1/runs/${id}/cancel`))?.status).toBe(202);
    expect(await erin.untilEnd(id)).toMatchObject({ type: 'agent_cancelled', data: { by: 'erin' } });
    await cluster.redis.restart();
    erin.leave();
    await expectWhole(cluster, [erin]);
  }, 60_000);

  it('lose nothing when PostgreSQL is restarted', async () => {
    await underLoad('postgres', async () => {
      await cluster.postgres.end();
      await cluster.postgres.begin();
    });
  }, 60_000);

  it('leave their runs when PostgreSQL is away for long, and go on with them when it is back', async () => {
    const dave = await ClusterUser.of(cluster, 'dave');
    dave.follow();
    const runs = await Promise.all([dave.start('work', { ms: 1_000 }), dave.start('work', { ms: 14_000 })]);
    await dave.untilEnd(runs[0]!);
    const lost = Promise.race(cluster.nodes.map((node) => node.line(/the run is left to the other nodes/)));
    await cluster.postgres.end();
    await lost;
    expect((await dave.ask(cluster.nodes[0], 'GET', '/ready'))?.status).toBe(503);
    await cluster.postgres.begin();
    expect(await dave.untilEnd(runs[1]!)).toMatchObject({ type: 'agent_completed', attempt: 2 });
    dave.leave();
    await expectWhole(cluster, [dave]);
  }, 90_000);
});
