import type { RunEvent } from '../../src/events/run-event.js';
import { CarrelUser } from '../carrel-server.js';
import { AdderAgent, DeskModule, OnFastModule } from './model-agents.module.js';
import { ModelServer } from './model-server.js';
import type { ChatReply, ChatRequest } from './openai-double.js';

const KEY = 'sk-local-secret-1';
const PROMPT = 'the-prompt-canary';
const MODELS = {
  models: {
    default: { provider: 'local', model: 'm-default' },
    fast: { provider: 'local', model: 'm-fast', fallback: 'big' },
    big: { provider: 'local', model: 'm-big' },
  },
};

describe('a provider that fails', () => {
  let world: ModelServer;
  let alice: CarrelUser;
  const logLines: string[] = [];

  beforeAll(async () => {
    const env = { CARREL_LOG_LEVEL: 'info' };
    world = await ModelServer.start({ models: MODELS, agents: [DeskModule, OnFastModule], env, logLines });
    alice = await world.server.as('alice');
  });
  afterAll(() => world[Symbol.asyncDispose]());
  beforeEach(() => void world.double.seen.splice(0));

  /** Answers the first requests of a model so, and all later ones with a text. */
  function first(...replies: ChatReply[]): (body: ChatRequest) => ChatReply {
    return ({ model }) => replies.shift() ?? { text: `Hello from ${model}` };
  }

  async function run(agent = 'assistant') {
    const started = await alice.start(agent, { text: PROMPT });
    const end = await alice.end(started.id);
    const { body } = await alice.http<{ items: RunEvent[] }>('GET', `/v1/runs/${started.id}/events?limit=200`);
    return { end, events: body.items };
  }

  it('is left when there is no end to what it says, and not asked again', async () => {
    world.double.answer = () => ({ reasoning: 'x'.repeat(9 * 1024 * 1024), hold: new Promise(() => undefined) });
    const { end } = await run();
    expect(end).toMatchObject({
      status: 'failed',
      error: { code: 'model_failed', message: expect.stringContaining('does not come to an end') },
    });
    expect(world.double.seen).toHaveLength(1);
    expect(await world.double.seen[0]!.over).toBe(true);
  });

  it.each<[string, ChatReply]>([
    ['is busy (429)', { status: 429, headers: { 'retry-after-ms': '5' } }],
    ['times out (408)', { status: 408 }],
    ['conflicts (409)', { status: 409 }],
    [
      'fails, with a page of HTML (500)',
      { status: 500, headers: { 'content-type': 'text/html' }, body: '<h1>oops</h1>' },
    ],
    ['breaks off in the middle', { text: ['Hal', 'f'], cut: 'reset' }],
    ['ends the stream too early', { text: ['Hal', 'f'], cut: 'eof' }],
    ['says in the stream that it failed', { text: ['Hal', 'f'], cut: 'error' }],
    ['breaks off in a call of a tool', { calls: [{ name: 'add', arguments: { a: 1, b: 2 } }], cut: 'eof' }],
  ])(
    'is asked again when it %s, inside the same step, and half an answer is no part of the whole one',
    async (_, reply) => {
      world.double.answer = first(reply);
      const { end, events } = await run();
      expect(end).toMatchObject({
        status: 'completed',
        result: { text: 'Hello from m-default', calls: 1 },
        attempt: 1,
      });
      expect(world.double.seen).toHaveLength(2);
      expect(world.double.seen[1]!.body.messages).toEqual(world.double.seen[0]!.body.messages);
      const story = events.map(({ type }) => type).filter((type) => type !== 'agent_message_delta');
      expect(story).toEqual(['agent_started', 'step_started', 'agent_retrying', 'step_completed', 'agent_completed']);
      const retried = events.findIndex(({ type }) => type === 'agent_retrying');
      expect(events[retried]).toMatchObject({ step: '1:default', data: { error: { code: 'model_failed' } } });
      const said = events.slice(retried).flatMap(({ type, data }) => (type === 'agent_message_delta' ? [data] : []));
      expect(said).toEqual([{ text: 'Hello from m-default' }]);
    },
  );

  it('is left alone for as long as it asks, in milliseconds, in seconds or until a moment', async () => {
    const until = () => new Date(Date.now() + 2_000).toUTCString(); // to the second: one more or less
    for (const [headers, leastMs] of [
      [() => ({ 'retry-after-ms': '400', 'retry-after': '9' }), 400],
      [() => ({ 'retry-after': '1' }), 1_000],
      [() => ({ 'retry-after': until() }), 900],
    ] as const) {
      world.double.seen.splice(0);
      world.double.answer = () =>
        world.double.seen.length === 1 ? { status: 429, headers: headers() } : { text: 'Hello' };
      const { end, events } = await run();
      expect(end.status).toBe('completed');
      const [before, after] = world.double.seen;
      expect(after!.atMs - before!.atMs).toBeGreaterThanOrEqual(leastMs - 5);
      const { data } = events.find(({ type }) => type === 'agent_retrying')!;
      expect((data as { delayMs: number }).delayMs).toBeGreaterThanOrEqual(leastMs - 100);
    }
  });

  it('is not waited for when that would be longer than the run may last', async () => {
    world.double.answer = () => ({ status: 429, headers: { 'retry-after': '3600' } });
    const { end } = await run();
    expect(end).toMatchObject({ status: 'failed', error: { code: 'model_failed' } });
    expect(world.double.seen).toHaveLength(1);
  });

  it('ends the run with model_failed when it was asked as often as it may be, and not once more by the run', async () => {
    world.double.answer = () => ({ status: 503 });
    const { end } = await run();
    expect(end).toMatchObject({
      status: 'failed',
      attempt: 1,
      error: { code: 'model_failed', message: expect.stringMatching(/"default".*503/) },
    });
    expect(world.double.seen).toHaveLength(3);
  });

  it.each<[string, ChatReply]>([
    ['refuses the key (401)', { status: 401, error: `Incorrect API key: ${KEY}` }],
    ['does not know the model (404)', { status: 404 }],
    ['does not take the request (400)', { status: 400, error: 'context length exceeded' }],
    ['holds the answer back', { text: 'I must not', finish: 'content_filter' }],
  ])('ends the run with model_refused when it %s, and is not asked again', async (_, reply) => {
    world.double.answer = () => reply;
    const { end } = await run();
    expect(end).toMatchObject({ status: 'failed', error: { code: 'model_refused' } });
    expect(world.double.seen).toHaveLength(1);
  });

  it.each<[string, ChatReply, number]>([
    ['has failed as often as it may', { status: 500 }, 3],
    ['refuses for good', { status: 401 }, 1],
  ])('is replaced by its fallback when it %s, and the run is degraded', async (_, reply, asked) => {
    world.double.answer = ({ model }) => (model === 'm-fast' ? reply : { text: 'Hello from the other' });
    const { end, events } = await run('on-fast');
    expect(end).toMatchObject({ status: 'degraded', result: { text: 'Hello from the other' } });
    expect(world.double.seen.map(({ body }) => body.model)).toEqual([...Array<string>(asked).fill('m-fast'), 'm-big']);
    const { data, step } = events.find(({ type }) => type === 'agent_fallback')!;
    expect({ data, step }).toMatchObject({ data: { from: 'fast', to: 'big' }, step: '2:big' });
  });

  it('ends the run with the failure of the last of them when the fallback fails, too', async () => {
    world.double.answer = ({ model }) => (model === 'm-fast' ? { status: 401 } : { status: 500 });
    const { end } = await run('on-fast');
    expect(end).toMatchObject({
      status: 'failed',
      error: { code: 'model_failed', message: expect.stringContaining('"big"') },
    });
  });

  it('ends the run with invalid_model_output when it answers twice in another form', async () => {
    world.double.answer = () => ({ text: 'Ulm has many people' });
    const { end } = await run('reader');
    expect(end).toMatchObject({ status: 'failed', attempt: 1, error: { code: 'invalid_model_output' } });
    expect(world.double.seen).toHaveLength(2);
  });

  it('ends the run with too_many_model_calls when it never comes to an end', async () => {
    world.double.answer = () => ({ calls: [{ name: 'add', arguments: { a: 1, b: 1 } }] });
    const { end } = await run('adder');
    expect(end).toMatchObject({ status: 'failed', error: { code: 'too_many_model_calls' } });
    expect(world.double.seen).toHaveLength(3);
  });

  it('has left nothing of prompts and keys in the log and in the events, but what it said itself', async () => {
    world.double.answer = () => ({ status: 401, error: `Incorrect API key provided: ${KEY}` });
    const { events } = await run();
    const log = logLines.join('\n');
    expect(log).toContain('Incorrect API key provided: [redacted]');
    expect(log).not.toContain(KEY);
    expect(log).not.toContain(PROMPT);
    expect(JSON.stringify(events)).not.toContain(KEY);
    expect(JSON.stringify(events.at(-1))).not.toContain(PROMPT);
    expect(JSON.stringify(events)).not.toContain('Incorrect API key');
  });
});

describe('the model of an agent', () => {
  it('may depend on what is injected: on the roles of its user', async () => {
    await using world = await ModelServer.start({ models: MODELS, agents: [OnFastModule] });
    const bob = new CarrelUser(world.server, 'bob', await world.server.token('bob', { roles: ['premium'] }));
    for (const user of [await world.server.as('alice'), bob]) {
      await user.end((await user.start('by-role', { text: 'Hi' })).id);
    }
    expect(world.double.seen.map(({ body }) => body.model)).toEqual(['m-default', 'm-big']);
  });
});

describe('a boot', () => {
  const boot = (options: Parameters<typeof ModelServer.start>[0]) =>
    ModelServer.start(options).then((world) => world[Symbol.asyncDispose]());

  it('is refused when an agent names a model that is not there (unknown_model)', async () => {
    await expect(boot({ agents: [OnFastModule] })).rejects.toMatchObject({
      code: 'unknown_model',
      message: 'OnFastAgent: There is no model "fast". There are: default.',
    });
  });

  it('is refused when an agent names none, and there is no default', async () => {
    const models = { models: { fast: { provider: 'local', model: 'm' } } };
    await expect(boot({ agents: [DeskModule], models })).rejects.toMatchObject({
      code: 'unknown_model',
      message: expect.stringContaining(`${AdderAgent.name}: There is no default model`),
    });
  });

  it('is refused when a provider is a package that is not installed, with the command that installs it', async () => {
    const models = {
      providers: { other: { package: '@ai-sdk/not-there' } },
      models: { default: { provider: 'other', model: 'm' } },
    };
    await expect(boot({ models })).rejects.toMatchObject({
      code: 'invalid_config',
      message: expect.stringContaining('npm install @ai-sdk/not-there'),
    });
  });

  it('is refused when the package is no provider', async () => {
    const models = { providers: { other: { package: 'zod' } }, models: { default: { provider: 'other', model: 'm' } } };
    await expect(boot({ models })).rejects.toMatchObject({
      code: 'invalid_config',
      message: expect.stringMatching(/"other": the package zod exports no create… function/),
    });
  });
});

describe('a provider by its package', () => {
  it('is loaded from where models.json is, or else beside Carrel, and given its options', async () => {
    await using world = await ModelServer.start({});
    const options = { name: 'packaged', baseURL: world.double.baseURL, apiKey: 'sk-packaged', includeUsage: true };
    const models = {
      providers: { packaged: { package: '@ai-sdk/openai-compatible', options } },
      models: { default: { provider: 'packaged', model: 'm-packaged' } },
    };
    await using other = await ModelServer.start({ models });
    const alice = await other.server.as('alice');
    const end = await alice.end((await alice.start('assistant', { text: 'Hi' })).id);
    expect(end).toMatchObject({ status: 'completed', result: { text: 'Hello' } });
    expect(world.double.seen[0]).toMatchObject({
      headers: { authorization: 'Bearer sk-packaged' },
      body: { model: 'm-packaged' },
    });
  });
});
