import { Module } from '@nestjs/common';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import type { AgentProvider } from '../../src/agents/agent-provider.js';
import type { AgentRun } from '../../src/agents/agent-run.js';
import { Agent } from '../../src/agents/agent.decorator.js';
import { BudgetsModule } from '../../src/execution/models/budgets.module.js';
import { Budgets } from '../../src/execution/models/budgets.service.js';
import { ConversationsModule } from '../../src/execution/models/conversations.module.js';
import { Conversations } from '../../src/execution/models/conversations.service.js';
import { CarrelServer, type CarrelUser } from '../carrel-server.js';
import { DocumentedClient } from '../edge/documented-client.js';

const Spending = z.object({ tokens: z.number(), settle: z.boolean().default(true) });

/** Does what a call of a model does to a budget. */
@Agent({ name: 'spend', description: 'Spends tokens', input: Spending, retry: { attempts: 1 } })
class SpendAgent implements AgentProvider<z.output<typeof Spending>> {
  constructor(private readonly budgets: Budgets) {}

  async run({ tokens, settle }: z.output<typeof Spending>, run: AgentRun) {
    const estimate = { inputTokens: tokens, outputTokens: 0 };
    const reservation = await this.budgets.reserve(run.context, { model: 'small', key: 'a#1', estimate });
    if (settle) await reservation.settle(estimate);
    return null;
  }
}

const Talk = z.object({ text: z.string() });

/** Answers with how many messages it has heard before. */
@Agent({ name: 'talk', description: 'Talks', input: Talk })
class TalkAgent implements AgentProvider<z.output<typeof Talk>> {
  constructor(private readonly conversations: Conversations) {}

  async run({ text }: z.output<typeof Talk>, run: AgentRun) {
    const heard = await this.conversations.history(run.context, 10_000);
    const answer = [{ type: 'text', text: `heard ${heard.length} before "${text}"` }];
    await this.conversations.append(run.context, 0, [
      { role: 'user', content: text },
      { role: 'assistant', content: answer },
    ]);
    return heard.length;
  }
}

@Module({ imports: [BudgetsModule, ConversationsModule], providers: [SpendAgent, TalkAgent] })
class TestModelsModule {}

const dir = mkdtempSync(join(tmpdir(), 'carrel-models-'));
const file = join(dir, 'models.json');
writeFileSync(
  file,
  JSON.stringify({
    providers: { local: { baseURL: 'http://127.0.0.1:9/v1' } },
    models: { small: { provider: 'local', model: 's', price: { input: 2, output: 2 } } },
    budgets: {
      default: { day: { tokens: 100 } },
      roles: { analyst: { run: { tokens: 500 }, month: { tokens: 1_000, usd: 1 } } },
    },
  }),
);

let server: CarrelServer;
let client: DocumentedClient;
let alice: CarrelUser;
let bob: CarrelUser;

const start = () =>
  CarrelServer.start({
    agents: [TestModelsModule],
    env: { CARREL_MODELS_FILE: file },
    dataDir: join(dir, 'data'),
  });

beforeAll(async () => {
  server = await start();
  client = await DocumentedClient.of(server);
  [alice, bob] = [await server.as('alice'), await server.as('bob')];
});
afterAll(async () => {
  await server.close();
  rmSync(dir, { recursive: true });
});

const ended = async (user: CarrelUser, agent: string, input: unknown, threadId?: string) =>
  user.end((await user.start(agent, input, threadId ? { threadId } : {})).id);

async function budgetsOf(token: string) {
  const { status, body } = await client.call('get', '/v1/me/usage', { token });
  expect(status).toBe(200);
  return (body as { budgets: Record<string, unknown>[] }).budgets;
}

function messagesOf({ token }: CarrelUser, threadId: string, query: Record<string, string> = {}) {
  return client.call('get', `/v1/threads/${threadId}/messages`, { token, query });
}

describe('budgets in GET /v1/me/usage', () => {
  it('are those of the caller’s roles, with what the caller has used and nobody else', async () => {
    await ended(alice, 'spend', { tokens: 60 });
    await ended(bob, 'spend', { tokens: 7 });
    const resetsAt = expect.stringMatching(/^\d{4}-\d\d-\d\dT00:00:00.000Z$/) as unknown;
    const day = { scope: 'day', unit: 'tokens', limit: 100, reserved: 0, resetsAt };
    expect(await budgetsOf(alice.token)).toEqual([{ ...day, used: 60 }]);
    expect(await budgetsOf(bob.token)).toEqual([{ ...day, used: 7 }]);
    expect(await budgetsOf(await server.token('alice', { roles: ['analyst'] }))).toEqual([
      { scope: 'run', unit: 'tokens', limit: 500 },
      { scope: 'month', unit: 'tokens', limit: 1_000, used: 60, reserved: 0, resetsAt },
      { scope: 'month', unit: 'usd', limit: 1, used: 0.00012, reserved: 0, resetsAt },
    ]);
  });

  it('stop a run that would pass them, before the call, and say so', async () => {
    const run = await ended(alice, 'spend', { tokens: 41 });
    expect(run).toMatchObject({ status: 'failed', error: { code: 'budget_exceeded' } });
    expect(run.error).toMatchObject({
      retryable: false,
      message: expect.stringContaining('60 tokens of 100 tokens') as unknown,
      details: { scope: 'day', unit: 'tokens', limit: 100, used: 60, needed: 41 },
    });
    expect(await ended(bob, 'spend', { tokens: 41 })).toMatchObject({ status: 'completed' });
  });

  it('are empty where there are no models', async () => {
    await using other = await CarrelServer.start();
    const { body } = await (await other.as('alice')).http('GET', '/v1/me/usage');
    expect(body['budgets']).toEqual([]);
  });
});

describe('GET /v1/threads/:id/messages', () => {
  it('gives what was said, oldest first, in pages, and later runs hear it', async () => {
    for (const text of ['one', 'two', 'three']) await ended(alice, 'talk', { text }, 'chat');
    await ended(bob, 'talk', { text: 'his' }, 'chat');
    const first = await messagesOf(alice, 'chat', { limit: '4' });
    expect(first.status).toBe(200);
    const second = await messagesOf(alice, 'chat', { limit: '4', cursor: first.body.nextCursor as string });
    expect(second.body.nextCursor).toBeUndefined();
    const all = [...first.body.items, ...second.body.items] as Record<string, unknown>[];
    const answers = (heard: number, text: string) => [{ type: 'text', text: `heard ${heard} before "${text}"` }];
    expect(all.map(({ role, content }) => ({ role, content }))).toEqual([
      { role: 'user', content: 'one' },
      { role: 'assistant', content: answers(0, 'one') },
      { role: 'user', content: 'two' },
      { role: 'assistant', content: answers(2, 'two') },
      { role: 'user', content: 'three' },
      { role: 'assistant', content: answers(4, 'three') },
    ]);
    expect(new Set(all.map(({ runId }) => runId)).size).toBe(3);
    expect((await messagesOf(bob, 'chat')).body.items).toHaveLength(2);
  });

  it("answers for bob's thread as for one that does not exist", async () => {
    await ended(bob, 'talk', { text: 'private' }, 'only-his');
    const [his, none] = [await messagesOf(alice, 'only-his'), await messagesOf(alice, 'nothing')];
    const { requestId: _, ...body } = his.body as Record<string, unknown>;
    expect(none.body).toMatchObject(body);
    expect(his.status).toBe(404);
  });

  it('is empty for a thread in which nobody has said anything', async () => {
    await client.call('post', '/v1/threads', { token: alice.token, body: { id: 'silent' } });
    expect((await messagesOf(alice, 'silent')).body).toEqual({ items: [] });
  });

  it.each([{ cursor: 'x' }, { cursor: '' }, { limit: '0' }, { user: 'bob' }])('refuses %j', async (query) => {
    const { body } = await messagesOf(alice, 'chat', query as unknown as Record<string, string>);
    expect(body).toMatchObject({ status: 400, code: 'invalid_request' });
  });

  it('has nothing any more once the thread is deleted, while what it cost stays', async () => {
    const before = await budgetsOf(alice.token);
    expect((await client.call('delete', '/v1/threads/chat', { token: alice.token })).status).toBe(204);
    expect((await messagesOf(alice, 'chat')).status).toBe(404);
    expect((await messagesOf(bob, 'chat')).body.items).toHaveLength(2);
    expect(await budgetsOf(alice.token)).toEqual(before);
    expect(await ended(alice, 'talk', { text: 'again' }, 'chat')).toMatchObject({ result: 0 });
  });
});

it('what was reserved when the server ended counts as spent after its next start', async () => {
  await ended(bob, 'spend', { tokens: 50, settle: false });
  expect(await budgetsOf(bob.token)).toMatchObject([{ used: 48, reserved: 50 }]);
  await server.close();
  server = await start();
  client = await DocumentedClient.of(server);
  expect(await budgetsOf(await server.token('bob'))).toMatchObject([{ used: 98, reserved: 0 }]);
});
