import { CarrelServer, isTerminal, type CarrelUser } from '../carrel-server.js';
import { ScriptedAgentsModule } from '../scripted-agents.module.js';
import { PostgresServer } from '../servers/postgres.js';
import { RedisServer } from '../servers/redis.js';

const SECRET = 'a secret of at least thirty-two bytes, for tests';

interface NodeJson {
  id: string;
  role: string;
  isThisOne: boolean;
}

describe('a node that the others take for dead', () => {
  let postgres: PostgresServer;
  let redis: RedisServer;
  let url: string;
  let server: CarrelServer;
  let alice: CarrelUser;
  let bob: CarrelUser;

  beforeAll(async () => {
    postgres = await PostgresServer.start();
    redis = await RedisServer.start();
    url = await postgres.database();
    const shared = { DATABASE_URL: url, REDIS_URL: redis.url, CARREL_REDIS_PREFIX: redis.prefix() };
    server = await CarrelServer.start({
      agents: [ScriptedAgentsModule],
      env: { ...shared, CARREL_JWT_SECRET: SECRET },
    });
    [alice, bob] = [await server.as('alice'), await server.as('bob')];
  });
  afterAll(async () => {
    await server.close();
    await Promise.all([postgres.stop(), redis.stop()]);
  });

  const nodes = async () => {
    const operator = await server.token('olga', { roles: ['carrel:operator'] });
    const response = await fetch(`${server.url}/v1/admin/nodes`, { headers: { authorization: `Bearer ${operator}` } });
    return ((await response.json()) as { items: NodeJson[] }).items;
  };

  it('writes no end of what it carried, is a new node, and brings it on its way again', async () => {
    const [hers, his] = [await alice.connect(), await bob.connect()];
    const again = await alice.start('wait', { ms: 5_000 });
    const once = await bob.start('wait-once', { ms: 60_000 });
    await Promise.all([
      hers.until(({ runId, type }) => runId === again.id && type === 'agent_thinking'),
      his.until(({ runId, type }) => runId === once.id && type === 'agent_thinking'),
    ]);
    const [before] = await nodes();
    await postgres.admin(`UPDATE nodes SET beat_at = beat_at - interval '13 seconds'`, url);

    expect(await his.until((event) => event.runId === once.id && isTerminal(event))).toMatchObject({
      type: 'agent_error',
      data: { error: { code: 'interrupted' } },
    });
    const end = await hers.until((event) => event.runId === again.id && isTerminal(event));
    expect(end).toMatchObject({ type: 'agent_completed', attempt: 2 });
    // claimed, taken over, and claimed again: the node has written no end of what it had lost
    expect(await postgres.admin('SELECT user_id, fence FROM runs ORDER BY user_id', url)).toEqual([
      { user_id: 'alice', fence: 3 },
      { user_id: 'bob', fence: 2 },
    ]);
    for (const { events } of [hers, his]) {
      expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1));
      expect(events.filter(isTerminal)).toHaveLength(1);
    }
    const after = await nodes();
    expect(after).toMatchObject([{ role: 'all', isThisOne: true }]);
    expect(after[0]?.id).not.toBe(before?.id);
    expect(await (await fetch(`${server.url}/ready`)).json()).toMatchObject({ status: 'ready' });
    expect(server.held).toEqual({ liveContexts: 0, active: 0 });
    expect((await alice.end((await alice.start('echo', { text: 'x' })).id)).status).toBe('completed');
  });
});
