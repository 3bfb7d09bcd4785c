import { Module } from '@nestjs/common';
import { z } from 'zod';
import type { AgentProvider } from '../../src/agents/agent-provider.js';
import type { AgentRun } from '../../src/agents/agent-run.js';
import { Agent } from '../../src/agents/agent.decorator.js';
import { CarrelServer, type CarrelUser } from '../carrel-server.js';
import { ScriptedAgentsModule } from '../scripted-agents.module.js';
import { DocumentedClient } from './documented-client.js';

const Tokens = z.object({ inputTokens: z.number() });

@Agent({ name: 'spend', description: 'Says that it used tokens', input: Tokens })
class SpendAgent implements AgentProvider<z.output<typeof Tokens>> {
  async run({ inputTokens }: z.output<typeof Tokens>, run: AgentRun) {
    run.use({ inputTokens, outputTokens: 1 });
    return null;
  }
}

@Module({ providers: [SpendAgent] })
class SpendModule {}

interface Report {
  from: string;
  to: string;
  runs: Record<string, number>;
  waitedMs: { sum: number; max: number };
  ranMs: { sum: number; max: number };
  usage: Record<string, number>;
  agents: ({ agent: string } & Omit<Report, 'from' | 'to' | 'agents'>)[];
}

const NO_RUNS = { completed: 0, degraded: 0, failed: 0, timed_out: 0, cancelled: 0 };
const NOTHING = { runs: NO_RUNS, waitedMs: { sum: 0, max: 0 }, ranMs: { sum: 0, max: 0 }, usage: {} };

let server: CarrelServer;
let client: DocumentedClient;
let alice: CarrelUser;
let bob: CarrelUser;

beforeAll(async () => {
  server = await CarrelServer.start({
    agents: [ScriptedAgentsModule, SpendModule],
    env: { CARREL_USER_MAX_RUNNING: '1' },
  });
  client = await DocumentedClient.of(server);
  alice = await server.as('alice');
  bob = await server.as('bob');
});
afterAll(() => server.close());

async function usageOf({ token }: CarrelUser, query: Record<string, string> = {}): Promise<Report> {
  const { status, body } = await client.call('get', '/v1/me/usage', { token, query });
  expect(status).toBe(200);
  return body as Report;
}

async function ended(user: CarrelUser, agent: string, input: unknown, threadId = 'report') {
  return user.end((await user.start(agent, input, { threadId })).id);
}

describe('GET /v1/me/usage', () => {
  it('is all zeros for somebody who has run nothing', async () => {
    expect(await usageOf(await server.as('carl'))).toMatchObject({ ...NOTHING, agents: [] });
  });

  it("counts alice's runs and what they used, and bob's for bob alone", async () => {
    await ended(alice, 'spend', { inputTokens: 10 });
    await ended(alice, 'spend', { inputTokens: 32 });
    await ended(alice, 'fail', { how: 'terminal', text: 'no' });
    const under = await alice.start('wait', { ms: 30_000 }, { threadId: 'report' });
    const queued = await alice.start('wait', { ms: 30_000 }, { threadId: 'report' });
    for (const { id } of [queued, under]) await alice.http('POST', `/v1/runs/${id}/cancel?wait=true`);
    await ended(bob, 'spend', { inputTokens: 1_000_000 }, 'report');

    const hers = await usageOf(alice);
    expect(hers.runs).toEqual({ ...NO_RUNS, completed: 2, failed: 1, cancelled: 2 });
    expect(hers.usage).toEqual({ inputTokens: 42, outputTokens: 2 });
    expect(hers.agents.map(({ agent }) => agent)).toEqual(['fail', 'spend', 'wait']);
    expect(hers.agents[1]).toMatchObject({ runs: { ...NO_RUNS, completed: 2 }, usage: { inputTokens: 42 } });
    expect(hers.agents[2]).toMatchObject({ runs: { ...NO_RUNS, cancelled: 2 }, usage: {} });
    expect(hers.ranMs.sum).toBe(hers.agents.reduce((sum, { ranMs }) => sum + ranMs.sum, 0));

    const his = await usageOf(bob);
    expect(his.runs).toEqual({ ...NO_RUNS, completed: 1 });
    expect(his.usage).toEqual({ inputTokens: 1_000_000, outputTokens: 1 });
    expect(his.agents).toHaveLength(1);
  });

  it('tells how long runs waited and ran', async () => {
    const dora = await server.as('dora');
    const [first, second] = [await dora.start('wait', { ms: 60 }), await dora.start('wait', { ms: 60 })];
    for (const { id } of [first, second]) await dora.end(id);
    const { waitedMs, ranMs } = await usageOf(dora);
    expect(waitedMs.max).toBeGreaterThanOrEqual(40); // the second one waited for the first
    expect(waitedMs.sum).toBeGreaterThanOrEqual(waitedMs.max);
    expect(ranMs.max).toBeGreaterThanOrEqual(50);
    expect(ranMs.sum).toBeGreaterThanOrEqual(100);
  });

  it('stays as it is when the thread is deleted', async () => {
    const before = await usageOf(alice);
    expect((await alice.http('DELETE', '/v1/threads/report')).status).toBe(204);
    expect(await usageOf(alice)).toEqual(before);
  });

  it('answers for the UTC days that are asked about, 30 days without a word', async () => {
    const { from, to } = await usageOf(alice);
    expect(Date.parse(to) - Date.parse(from)).toBe(31 * 86_400_000); // 30 days ago is in the middle of a day
    expect(Date.parse(to)).toBeGreaterThanOrEqual(Date.now());
    const long = await usageOf(alice, { from: '2020-02-29', to: '2020-03-01T00:00:00Z' });
    expect(long).toMatchObject({ from: '2020-02-29T00:00:00.000Z', to: '2020-03-01T00:00:00.000Z', ...NOTHING });
    const zoned = await usageOf(alice, { from: '2020-01-01T23:30:00-01:00', to: '2020-01-02T12:00:00.5Z' });
    expect(zoned).toMatchObject({ from: '2020-01-02T00:00:00.000Z', to: '2020-01-03T00:00:00.000Z' });
  });

  it.each([
    { from: 'yesterday' },
    { from: '2026-02-30' },
    { to: '2026-03-01T09:30:00' },
    { to: '1767225600000' },
    { from: '' },
    { from: '2026-03-02', to: '2026-03-01' },
    { from: '2026-03-01', to: '2026-03-01' },
    { from: '9999-12-31' },
    { userId: 'bob' },
  ])('refuses %j', async (query: Record<string, string | undefined>) => {
    const { body } = await client.call('get', '/v1/me/usage', {
      token: alice.token,
      query: query as Record<string, string>,
    });
    expect(body).toMatchObject({ status: 400, code: 'invalid_request' });
  });
});

it('survives the end of the server', async () => {
  await using first = await CarrelServer.start({ agents: [SpendModule], dataDir: `${server.config.data.dir}/again` });
  await ended(await first.as('alice'), 'spend', { inputTokens: 7 });
  await first.close();
  await using second = await CarrelServer.start({ agents: [SpendModule], dataDir: first.config.data.dir });
  const { body } = await (await second.as('alice')).http('GET', '/v1/me/usage');
  expect(body).toMatchObject({ runs: { completed: 1 }, usage: { inputTokens: 7 } });
});
