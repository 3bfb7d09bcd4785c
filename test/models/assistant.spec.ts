import { modelMessageSchema } from 'ai';
import type { RunEvent } from '../../src/events/run-event.js';
import type { CarrelUser } from '../carrel-server.js';
import { DeskModule, DeskTools } from './model-agents.module.js';
import { ModelServer } from './model-server.js';
import type { ChatMessage, ChatReply, ChatRequest } from './openai-double.js';

const last = ({ messages }: ChatRequest): ChatMessage => messages.at(-1)!;
const wants = (name: string, args: unknown, id = 'call_0'): ChatReply => ({ calls: [{ id, name, arguments: args }] });

describe('an agent with a language model', () => {
  let world: ModelServer;
  let alice: CarrelUser;
  let bob: CarrelUser;

  beforeAll(async () => {
    world = await ModelServer.start({ agents: [DeskModule], env: { CARREL_USER_MAX_RUNNING: '50' } });
    alice = await world.server.as('alice');
    bob = await world.server.as('bob');
  });
  afterAll(() => world[Symbol.asyncDispose]());
  beforeEach(() => void world.double.seen.splice(0));

  async function eventsOf(user: CarrelUser, runId: string): Promise<RunEvent[]> {
    const { body } = await user.http<{ items: RunEvent[] }>('GET', `/v1/runs/${runId}/events?limit=200`);
    return body.items;
  }

  it('goes from model to tool to model, each a recorded step, and says what it used', async () => {
    world.double.answer = (body) =>
      last(body).role === 'tool'
        ? { text: ['It ', 'is ', '5'], usage: { prompt: 40, completion: 6, cached: 12, reasoning: 2 } }
        : { reasoning: 'I have to add', ...wants('add', { a: 2, b: 3 }) };
    const run = await alice.start('assistant', { text: 'What is 2 + 3?' });
    const end = await alice.end(run.id);
    expect(end).toMatchObject({
      status: 'completed',
      result: { text: 'It is 5', model: 'default', calls: 2, usage: { inputTokens: 60, outputTokens: 16 } },
      usage: { inputTokens: 60, outputTokens: 16, cachedInputTokens: 12, reasoningTokens: 2 },
    });
    const events = await eventsOf(alice, run.id);
    expect(events.map(({ type, step }) => [type, step])).toEqual([
      ['agent_started', undefined],
      ['step_started', '1:default'],
      ['agent_thinking', '1:default'],
      ['step_completed', '1:default'],
      ['tool_executing', '2:app.add'],
      ['tool_completed', '2:app.add'],
      ['step_started', '3:default'],
      ['agent_message_delta', '3:default'],
      ['step_completed', '3:default'],
      ['agent_completed', undefined],
    ]);
    const [first, second] = world.double.seen;
    expect(first!.body.tools!.map(({ function: { name } }) => name).toSorted()).toEqual([
      'add',
      'burn',
      'look',
      'note',
    ]);
    expect(first!.headers.authorization).toBe('Bearer sk-local-secret-1');
    expect(second!.body.messages.slice(-2)).toMatchObject([
      {
        role: 'assistant',
        reasoning_content: 'I have to add',
        tool_calls: [{ id: 'call_0', function: { name: 'add' } }],
      },
      { role: 'tool', tool_call_id: 'call_0', content: '5' },
    ]);
  });

  it('calls tools that only read side by side, and others in their order', async () => {
    const desk = world.server.app.get(DeskTools);
    const both = (name: string) => ({
      calls: ['x', 'y'].map((word, i) => ({ id: `call_${i}`, name, arguments: { word } })),
    });
    world.double.answer = (body) => (last(body).role === 'tool' ? { text: 'Done' } : both('look'));
    await alice.end((await alice.start('assistant', { text: 'Look' })).id);
    expect(desk.mostLooking).toBe(2);
    world.double.answer = (body) => (last(body).role === 'tool' ? { text: 'Done' } : both('note'));
    await alice.end((await alice.start('assistant', { text: 'Note' })).id);
    expect(desk.noted).toEqual(['x', 'y']);
    expect(world.double.seen.at(-1)!.body.messages.slice(-2)).toMatchObject([
      { role: 'tool', tool_call_id: 'call_0', content: 'noted x' },
      { role: 'tool', tool_call_id: 'call_1', content: 'noted y' },
    ]);
  });

  it.each([
    ['a tool that is not there', 'nothing', {}, /unknown_tool: there is no tool "nothing"/],
    ['arguments that do not fit', 'add', { a: 'two' }, /invalid_arguments: .*issues/],
    ['arguments that are not JSON', 'add', '{"a":1,', /invalid_arguments: they are not JSON/],
    ['arguments that are no object', 'add', '[1]', /invalid_arguments/],
  ])('tells the model about %s, and goes on', async (_, name, args, told) => {
    world.double.answer = (body) => (last(body).role === 'tool' ? { text: 'Sorry' } : wants(name, args));
    const end = await alice.end((await alice.start('assistant', { text: 'Try' })).id);
    expect(end).toMatchObject({ status: 'completed', result: { text: 'Sorry' } });
    expect(last(world.double.seen.at(-1)!.body).content).toMatch(told);
  });

  it('does not carry out calls of an answer that was cut off at its limit', async () => {
    const { added } = world.server.app.get(DeskTools);
    const before = added.length;
    world.double.answer = (body) =>
      last(body).role === 'tool' ? { text: 'Sorry' } : { ...wants('add', { a: 1, b: 1 }), finish: 'length' };
    await alice.end((await alice.start('assistant', { text: 'Try' })).id);
    expect(added.length).toBe(before);
    expect(last(world.double.seen.at(-1)!.body).content).toMatch(/cut off/);
  });

  it('says so when its own words were cut off at the limit, and only then', async () => {
    const ends = [];
    for (const finish of ['length', 'stop']) {
      world.double.answer = () => ({ text: 'Once upon a', finish });
      ends.push((await alice.end((await alice.start('assistant', { text: 'Tell' })).id)).result);
    }
    const whole = { text: 'Once upon a', model: 'default', calls: 1, usage: expect.anything() as unknown };
    expect(ends).toEqual([{ ...whole, isCut: true }, whole]);
  });

  it.each([
    ['approved', { decision: 'approve' }, 'burnt it', 'ok'],
    ['rejected', { decision: 'reject' }, 'tool_declined: "burn" was not called: it was not approved', undefined],
  ])('suspends the run for an approval, and goes on when it is %s', async (_, decision, told, outcome) => {
    world.double.answer = (body) => (last(body).role === 'tool' ? { text: 'So be it' } : wants('burn', { word: 'it' }));
    const run = await alice.start('assistant', { text: 'Burn it' });
    const socket = await alice.connect({ after: 0 });
    await socket.until(({ runId, type }) => runId === run.id && type === 'agent_suspended');
    const asked = await socket.until(({ runId, type }) => runId === run.id && type === 'approval_required');
    const { approvalId } = asked.data as { approvalId: string };
    socket.close();
    expect(await alice.http('POST', `/v1/approvals/${approvalId}`, decision)).toMatchObject({ status: 200 });
    expect(await alice.end(run.id)).toMatchObject({ status: 'completed', result: { text: 'So be it', calls: 2 } });
    expect(world.double.seen).toHaveLength(2); // the first answer was not asked for again
    expect(last(world.double.seen[1]!.body).content).toBe(told);
    const done = (await eventsOf(alice, run.id)).find(({ type }) => type === 'tool_completed');
    expect((done?.data as { outcome?: string } | undefined)?.outcome).toBe(outcome);
  });

  it('closes the connection to the provider when the run is cancelled', async () => {
    world.double.answer = () => ({ text: ['Once upon', ' a time'], hold: new Promise(() => undefined) });
    const run = await alice.start('assistant', { text: 'Tell me a story' });
    const socket = await alice.connect({ after: 0 });
    await socket.until(({ runId, type }) => runId === run.id && type === 'agent_message_delta');
    socket.close();
    const [request] = world.double.seen;
    await alice.http('POST', `/v1/runs/${run.id}/cancel?wait=true`);
    expect(await request!.over).toBe(true);
    const end = (await eventsOf(alice, run.id)).at(-1)!;
    expect(end).toMatchObject({ type: 'agent_cancelled', data: { forced: false } });
  });

  it('remembers the conversation of its thread, tools included, and nothing of other threads', async () => {
    world.double.answer = (body) => {
      if (last(body).role === 'tool') return { text: 'Noted', reasoning: 'secret thoughts' };
      return last(body).content === 'Note blue' ? wants('note', { word: 'blue' }) : { text: 'You said blue' };
    };
    const first = await alice.start('assistant', { text: 'Note blue' });
    await alice.end(first.id);
    const second = await alice.start('assistant', { text: 'What did I say?' }, { threadId: first.threadId });
    await alice.end(second.id);
    const { messages } = world.double.seen.at(-1)!.body;
    expect(messages.map(({ role, content }) => [role, content])).toEqual([
      ['system', expect.any(String)],
      ['user', 'Note blue'],
      ['assistant', null],
      ['tool', 'noted blue'],
      ['assistant', 'Noted'],
      ['user', 'What did I say?'],
    ]);
    expect(JSON.stringify(messages)).not.toContain('secret thoughts');
    const { body } = await alice.http<{ items: { role: string; content: unknown }[] }>(
      'GET',
      `/v1/threads/${first.threadId}/messages`,
    );
    const roles = ['user', 'assistant', 'tool', 'assistant', 'user', 'assistant'];
    expect(body.items.map(({ role }) => role)).toEqual(roles);
    // whoever reads them can give them to the AI SDK as they are
    for (const { role, content } of body.items) modelMessageSchema.parse({ role, content });
    await alice.end((await alice.start('assistant', { text: 'Who am I?' })).id);
    expect(
      world.double.seen
        .at(-1)!
        .body.messages.map(({ content }) => content)
        .slice(1),
    ).toEqual(['Who am I?']);
  });

  it('keeps the conversations of alice and bob apart, in threads of the same name and at the same time', async () => {
    const canaries = { alice: 'amber-canary', bob: 'basil-canary' };
    world.double.answer = (body) => ({ text: `Heard: ${last(body).content}` });
    const talk = async (user: CarrelUser, canary: string) => {
      for (let turn = 0; turn < 5; turn++) {
        const run = await user.start('assistant', { text: `${canary} ${turn}` }, { threadId: 'our-thread' });
        expect((await user.end(run.id)).result).toMatchObject({ text: `Heard: ${canary} ${turn}` });
      }
    };
    await Promise.all([talk(alice, canaries.alice), talk(bob, canaries.bob)]);
    const prompts = world.double.seen.map(({ body }) => JSON.stringify(body.messages));
    expect(prompts).toHaveLength(10);
    for (const prompt of prompts) {
      expect([prompt.includes(canaries.alice), prompt.includes(canaries.bob)].filter(Boolean)).toHaveLength(1);
    }
    expect(prompts.filter((prompt) => prompt.includes(`${canaries.bob} 0`))).toHaveLength(5);
  });

  it('answers with data that fits its schema, fenced or not', async () => {
    world.double.answer = () => ({ text: '```json\n{"city":"Ulm","people":126000}\n```' });
    const end = await alice.end((await alice.start('reader', { text: 'Where?' })).id);
    expect(end).toMatchObject({ status: 'completed', result: { city: 'Ulm', people: 126_000 } });
    const { body } = world.double.seen[0]!;
    expect(body.response_format).toEqual({ type: 'json_object' });
    expect(body.messages[0]!.content).toContain('"people"');
  });

  it('asks once more when the data do not fit', async () => {
    let calls = 0;
    world.double.answer = () => ({ text: ++calls === 1 ? '{"city":"Ulm"}' : '{"city":"Ulm","people":1}' });
    const end = await alice.end((await alice.start('reader', { text: 'Where?' })).id);
    expect(end).toMatchObject({ status: 'completed', result: { city: 'Ulm', people: 1 } });
    expect(last(world.double.seen[1]!.body).content).toMatch(/does not fit the JSON Schema: people/);
  });

  it('gives an agent the tools that it names and no others, and ends when the agent says so', async () => {
    world.double.answer = () => ({ text: 'That is enough', ...wants('add', { a: 1, b: 1 }) });
    const end = await alice.end((await alice.start('adder', { text: 'Add' })).id);
    expect(end).toMatchObject({ status: 'completed', result: { text: 'That is enough' } });
    expect(world.double.seen).toHaveLength(1);
    expect(world.double.seen[0]!.body.tools!.map(({ function: { name } }) => name)).toEqual(['add']);
  });

  it('is listed with the other agents, with what it accepts', async () => {
    const { body } = await alice.http('GET', '/v1/agents/assistant');
    expect(body).toMatchObject({ name: 'assistant', inputSchema: { required: ['text'] } });
  });
});
