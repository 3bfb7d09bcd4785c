import type { CarrelConfig } from '../../src/config/config.js';
import { UserExecutionContext } from '../../src/context/user-execution-context.js';
import { estimateTokens } from '../../src/execution/models/conversation-tokens.js';
import { Conversations, type ConversationMessage } from '../../src/execution/models/conversations.service.js';
import type { RunRecord } from '../../src/execution/run-store.port.js';
import { newId, type ThreadId, type UserId } from '../../src/shared/ids.js';
import { alice, bob, HeldClock, StorageWorld, T0 } from '../contracts/storage-world.js';
import { portsOf, StorageFolder } from '../storage/storage-folder.js';

const THREAD = 't' as ThreadId;
const MANY = 1_000_000;

let folder: StorageFolder;
let world: StorageWorld;
let conversations: Conversations;
beforeEach(() => {
  folder = new StorageFolder();
  const clock = new HeldClock();
  world = new StorageWorld(portsOf(folder.open(clock)));
  conversations = new Conversations(world.ports.messages, { limits: { threadMessages: 20 } } as CarrelConfig, clock);
});
afterEach(() => folder.remove());

const said = (role: ConversationMessage['role'], content: ConversationMessage['content']) => ({ role, content });
const calls = (...ids: string[]) =>
  said('assistant', [
    { type: 'text', text: 'let me see' },
    ...ids.map((toolCallId) => ({ type: 'tool-call', toolCallId, toolName: 'look', input: {} })),
  ]);
const results = (...ids: string[]) =>
  said(
    'tool',
    ids.map((toolCallId) => ({
      type: 'tool-result',
      toolCallId,
      toolName: 'look',
      output: { type: 'text', value: 'ok' },
    })),
  );

function contextOf({ userId, id, threadId }: RunRecord): UserExecutionContext {
  return new UserExecutionContext({ userId, runId: id, threadId, requestId: newId('req'), createdAtMs: T0 });
}

async function begin(userId: UserId): Promise<{ run: RunRecord; context: UserExecutionContext }> {
  const run = await world.running(userId, { threadId: THREAD });
  return { run, context: contextOf(run) };
}

/** A whole run. */
async function talk(userId: UserId, ...messages: readonly ConversationMessage[]): Promise<void> {
  const { run, context } = await begin(userId);
  await conversations.append(context, 0, messages);
  await world.end(run);
}

async function historyOf(userId: UserId, tokens = MANY) {
  const { run, context } = await begin(userId);
  const history = await conversations.history(context, tokens);
  await world.end(run);
  return history;
}

describe('a conversation', () => {
  it("is read back by the thread's later runs, without their own messages, and never by bob's", async () => {
    const hers = [said('user', 'hello'), calls('c1', 'c2'), results('c1', 'c2'), said('assistant', 'all is well')];
    await talk(alice, ...hers);
    await talk(bob, said('user', 'his'));
    const { context } = await begin(alice);
    await conversations.append(context, 0, [said('user', 'and now?')]);
    expect(await conversations.history(context, MANY)).toEqual(hers);
    expect(await historyOf(bob)).toEqual([said('user', 'his')]);
  });

  it('adds nothing twice when a run is carried out from the top again', async () => {
    const { context, run } = await begin(alice);
    await conversations.append(context, 0, [said('user', 'hello')]);
    await conversations.append(context, 1, [calls('c1'), results('c1')]);
    await conversations.append(context, 0, [said('user', 'hello')]);
    await conversations.append(context, 1, [calls('c1'), results('c1')]);
    await conversations.append(context, 3, [said('assistant', 'done')]);
    await world.end(run);
    expect(await historyOf(alice)).toEqual([
      said('user', 'hello'),
      calls('c1'),
      results('c1'),
      said('assistant', 'done'),
    ]);
  });

  it('leaves out the end of a run that was stopped between a call and its result', async () => {
    await talk(alice, said('user', 'one'), calls('c1', 'c2'), results('c1'));
    await talk(alice, said('user', 'two'), calls('c3'), results('c3'), calls('c4'));
    await talk(alice, said('user', 'three'), said('assistant', 'yes'));
    expect(await historyOf(alice)).toEqual([
      said('user', 'one'),
      said('user', 'two'),
      calls('c3'),
      results('c3'),
      said('user', 'three'),
      said('assistant', 'yes'),
    ]);
  });

  it('begins with what a user has said', async () => {
    await talk(alice, said('assistant', 'nobody asked'));
    expect(await historyOf(alice)).toEqual([]);
    await talk(alice, said('user', 'a question'));
    expect(await historyOf(alice)).toEqual([said('user', 'a question')]);
  });

  it('keeps what was asked and answered when the tools have said too much', async () => {
    const long = said('tool', [
      {
        type: 'tool-result',
        toolCallId: 'c1',
        toolName: 'look',
        output: { type: 'text', value: 'word '.repeat(5_000) },
      },
    ]);
    await talk(alice, said('user', 'look'), calls('c1'), long, said('assistant', 'seen'));
    expect(await historyOf(alice, 2_000)).toEqual([said('user', 'look'), said('assistant', 'seen')]);
    expect(await historyOf(alice, 5)).toEqual([]);
  });

  it('lets its oldest runs go beyond the limit', async () => {
    for (let i = 0; i < 15; i++) await talk(alice, said('user', `question ${i}`), said('assistant', `answer ${i}`));
    expect(await historyOf(alice)).toHaveLength(20);
    expect((await historyOf(alice))[0]).toEqual(said('user', 'question 5'));
  });

  it('is no matter of agents that are called inside a run', async () => {
    await talk(alice, said('user', 'hello'));
    const { context } = await begin(alice);
    const inner = context.child('summarise');
    await conversations.append(inner, 0, [said('user', 'a step')]);
    expect(await conversations.history(inner, MANY)).toEqual([]);
    expect(await conversations.history(context, MANY)).toEqual([said('user', 'hello')]);
  });

  it('takes nothing more of a run that has ended', async () => {
    const { run, context } = await begin(alice);
    await world.end(run);
    const late = conversations.append(context, 0, [said('user', 'late')]);
    await expect(late).rejects.toMatchObject({ code: 'run_closed' });
  });
});

describe('the estimate of tokens', () => {
  it('is near what tokenizers say of English, and above it for what they find hard', () => {
    const english = 'The quick brown fox jumps over the lazy dog, and nobody minds. '; // 14 tokens each
    expect(estimateTokens(english.repeat(100))).toBeGreaterThan(1_300);
    expect(estimateTokens(english.repeat(100))).toBeLessThan(1_800);
    expect(estimateTokens('敏捷的棕色狐狸跳过了懒狗'.repeat(10))).toBeGreaterThan(80);
    expect(estimateTokens('')).toBeGreaterThan(0);
    expect(estimateTokens([{ type: 'text', text: english }])).toBeGreaterThan(estimateTokens(english));
  });

  it('takes no longer for megabytes than for a page, and grows with the text', () => {
    const text = 'some words that go on and on '.repeat(1_000);
    expect(estimateTokens(text.repeat(100)) / estimateTokens(text)).toBeCloseTo(100, -1);
  });
});
