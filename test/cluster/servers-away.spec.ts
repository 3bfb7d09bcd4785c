import { Cluster } from '../servers/cluster.js';
import { expectWhole } from './cluster-checks.js';
import { ClusterUser } from './cluster-user.js';

/** A write that finds no database is tried for 15 s. */
const TOLD_WITHIN_MS = 20_000;

describe('nodes whose servers are away', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await Cluster.start();
  }, 60_000);
  afterAll(() => cluster[Symbol.asyncDispose]());

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

  it('say so when PostgreSQL refuses connections, leave their runs, and go on with them when it lets them in', async () => {
    const dave = await ClusterUser.of(cluster, 'dave');
    dave.follow();
    const runs = await Promise.all([dave.start('work', { ms: 1_000 }), dave.start('work', { ms: 14_000, againMs: 1 })]);
    await dave.untilEnd(runs[0]!);
    const lost = Promise.race(cluster.nodes.map((node) => node.line(/the run is left to the other nodes/)));
    await cluster.postgres.refuse(cluster.databaseUrl);
    const [node] = cluster.nodes;
    const asked = await cluster.as('dave', node!);
    const refused = asked.http('POST', '/v1/runs', { agent: 'work', input: { ms: 1 } });
    await lost;
    expect((await dave.ask(node, 'GET', '/ready'))?.status).toBe(503);
    const began = performance.now();
    for (const answer of [await refused, await asked.http('GET', '/v1/runs')]) {
      expect(answer).toMatchObject({ status: 503, body: { code: 'database_unavailable' } });
    }
    expect(performance.now() - began).toBeLessThan(TOLD_WITHIN_MS);
    await cluster.postgres.accept(cluster.databaseUrl);
    expect(await dave.untilEnd(runs[1]!)).toMatchObject({ type: 'agent_completed', attempt: 2 });
    dave.leave();
    await expectWhole(cluster, [dave]);
  }, 90_000);
});
