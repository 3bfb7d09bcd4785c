import { newId } from '../../src/shared/ids.js';
import { CarrelServer, type CarrelUser, type RunJson } from '../carrel-server.js';
import { ScriptedAgentsModule } from '../scripted-agents.module.js';
import { DocumentedClient } from './documented-client.js';

let server: CarrelServer;
let client: DocumentedClient;
let alice: CarrelUser;
let bob: CarrelUser;

beforeAll(async () => {
  server = await CarrelServer.start({ agents: [ScriptedAgentsModule] });
  client = await DocumentedClient.of(server);
  [alice, bob] = await Promise.all([server.as('alice'), server.as('bob')]);
});
afterAll(() => server.close());

const retry = (user: CarrelUser, runId: string, body?: object) =>
  client.call('post', `/v1/runs/${runId}/retry`, { token: user.token, body });

describe('POST /v1/runs/:id/retry', () => {
  it.each([undefined, {}, { reuseSteps: true }, { reuseSteps: false }])(
    'makes a new run of the same, in the same thread, and says whose retry it is: %j',
    async (body) => {
      const first = await alice.start('fail', { how: 'terminal', text: 'no' }, { threadId: 't', metadata: { a: 1 } });
      await alice.end(first.id);
      const answer = await retry(alice, first.id, body);
      const run = answer.body as RunJson;
      expect([answer.status, answer.get('location')]).toEqual([202, `/v1/runs/${run.id}`]);
      expect(run.id).not.toBe(first.id);
      expect(run).toMatchObject({ retryOf: first.id, agent: 'fail', threadId: 't', input: first.input });
      expect(await alice.end(run.id)).toMatchObject({ status: 'failed', retryOf: first.id });
      expect((await client.call('get', `/v1/runs/${first.id}`, { token: alice.token })).body).not.toHaveProperty(
        'retryOf',
      );
    },
  );

  it('needs a run that has ended', async () => {
    const run = await alice.start('wait', { ms: 30_000 });
    expect((await retry(alice, run.id)).body).toMatchObject({ status: 409, code: 'run_not_ended' });
    await alice.http('POST', `/v1/runs/${run.id}/cancel?wait=true`);
    expect((await retry(alice, run.id)).status).toBe(202);
    const { body } = await client.call('get', '/v1/runs', { token: alice.token, query: { limit: '1' } });
    await alice.http('POST', `/v1/runs/${(body as { items: RunJson[] }).items[0]!.id}/cancel?wait=true`);
  });

  it("answers for alice's run to bob exactly as for one that never was, and makes none", async () => {
    const run = await alice.start('echo', { text: 'mine' });
    await alice.end(run.id);
    const [foreign, unknown] = [await retry(bob, run.id), await retry(bob, newId('run'))];
    expect(foreign.body).toMatchObject({ status: 404, code: 'not_found' });
    expect({ ...(foreign.body as object), requestId: '' }).toEqual({ ...(unknown.body as object), requestId: '' });
    expect((await client.call('get', '/v1/runs', { token: bob.token })).body).toEqual({ items: [] });
  });

  it.each([[{ reuseSteps: 'yes' }], [{ reuseSteps: null }], [{ userId: 'bob' }], [[]]])('refuses %j', async (body) => {
    const { body: answer } = await retry(alice, newId('run'), body as object);
    expect(answer).toMatchObject({ status: 400, code: 'invalid_request' });
  });
});
