import type { MessageRecord, NewMessage } from '../../src/execution/models/message-store.port.js';
import type { RunRecord } from '../../src/execution/run-store.port.js';
import { newId, type RunId, type ThreadId, type UserId } from '../../src/shared/ids.js';
import { alice, bob, onEmptyStorage, T0, upTo, type OpenStorage } from './storage-world.js';

const THREAD = 't' as ThreadId;
const MANY = 1_000;
const NOBODY = newId('run');

function message(index: number, over: Partial<NewMessage> = {}): NewMessage {
  const role = index === 0 ? 'user' : 'assistant';
  return { id: newId('msg'), index, role, content: `message ${index}`, tokens: 10, createdAtMs: T0 + index, ...over };
}

const recordsOf = ({ id, threadId }: RunRecord, messages: readonly NewMessage[]): MessageRecord[] =>
  messages.map((one) => ({ ...one, threadId, runId: id }));

/** What every adapter of `MessageStore` has to keep. */
export function messageStoreContract(openStorage: OpenStorage): void {
  const world = onEmptyStorage(openStorage);
  const store = () => world().ports.messages;
  const append = ({ userId, threadId, id }: RunRecord, messages: readonly NewMessage[], limit = MANY) =>
    store().append(userId, threadId, id, messages, limit);
  const begin = (userId: UserId, threadId = THREAD) => world().running(userId, { threadId });
  /** A whole run with so many messages. */
  const talk = async (userId: UserId, count: number, { tokens = 10, limit = MANY, threadId = THREAD } = {}) => {
    const run = await begin(userId, threadId);
    const messages = Array.from({ length: count }, (_, index) => message(index, { tokens }));
    await append(run, messages, limit);
    await world().end(run);
    return recordsOf(run, messages);
  };
  const all = async (userId: UserId, threadId = THREAD) =>
    (await store().list(userId, threadId, { limit: MANY }))?.items;
  const latest = (userId: UserId, limits: { except?: RunId; tokens?: number; runs?: number } = {}, threadId = THREAD) =>
    store().latest(userId, threadId, { except: NOBODY, tokens: MANY, runs: MANY, ...limits });

  describe('append', () => {
    it('keeps messages as they are, in their order', async () => {
      const run = await begin(alice);
      const call = [{ type: 'tool-call', toolCallId: 'c1', toolName: 'add', input: { a: 1, b: ['ü', null, '"'] } }];
      const messages = [
        message(0, { content: 'ünï "quoted"' }),
        message(1, { content: call }),
        message(2, { role: 'tool' }),
      ];
      await append(run, messages);
      expect(await all(alice)).toEqual(recordsOf(run, messages));
    });

    it('adds nothing twice, whether one by one or together', async () => {
      const run = await begin(alice);
      const messages = upTo(4).map((n) => message(n - 1));
      await append(run, messages.slice(0, 2));
      await append(run, messages.slice(1, 2));
      await append(run, [message(0, { content: 'again' }), message(1, { content: 'again' }), ...messages.slice(2)]);
      await append(run, messages);
      expect(await all(alice)).toEqual(recordsOf(run, messages));
    });

    it("is refused for a run that is not under way in that thread, and for another user's", async () => {
      const { threads } = world().ports;
      const run = await begin(alice);
      const other = await begin(alice, 'other' as ThreadId);
      await threads.create(bob, { id: THREAD, metadata: {}, createdAtMs: T0 });
      const messages = [message(0)];
      await expect(append({ ...run, userId: bob }, messages)).rejects.toMatchObject({ code: 'run_closed' });
      await expect(append({ ...other, threadId: THREAD }, messages)).rejects.toMatchObject({ code: 'run_closed' });
      await expect(append({ ...run, threadId: newId('thr') }, messages)).rejects.toMatchObject({ code: 'not_found' });
      await expect(append({ ...other, userId: bob }, messages)).rejects.toMatchObject({ code: 'not_found' });
      await world().end(run);
      await expect(append(run, messages)).rejects.toMatchObject({ code: 'run_closed' });
      expect(await all(alice)).toEqual([]);
      expect(await all(bob)).toEqual([]);
    });

    it('lets the oldest runs go together when a thread has too many messages', async () => {
      const first = await talk(alice, 3);
      const second = await talk(alice, 3);
      const third = await talk(alice, 2, { limit: 8 });
      expect(await all(alice)).toEqual([...first, ...second, ...third]);
      const fourth = await talk(alice, 1, { limit: 8 });
      expect(await all(alice)).toEqual([...second, ...third, ...fourth]);
      const fifth = await talk(alice, 3, { limit: 5 });
      expect(await all(alice)).toEqual([...fourth, ...fifth]);
    });

    it('keeps all of a run that is under way, however many there are', async () => {
      await talk(alice, 3);
      const run = await begin(alice);
      const messages = upTo(9).map((n) => message(n - 1));
      for (const one of messages) await append(run, [one], 4);
      expect(await all(alice)).toEqual(recordsOf(run, messages));
    });

    it("lets nothing of bob's go, nor of another thread", async () => {
      const his = await talk(bob, 4);
      const others = await talk(alice, 4, { threadId: 'other' as ThreadId });
      await talk(alice, 1);
      await talk(alice, 1, { limit: 1 });
      expect(await all(alice)).toHaveLength(1);
      expect(await all(bob)).toEqual(his);
      expect(await all(alice, 'other' as ThreadId)).toEqual(others);
    });
  });

  describe('list', () => {
    it('gives pages, oldest first, also when more comes and old ones go on the way', async () => {
      const told = [...(await talk(alice, 3)), ...(await talk(alice, 2))];
      await talk(bob, 3);
      const seen: MessageRecord[] = [];
      for (let cursor: string | undefined; ;) {
        const page = (await store().list(alice, THREAD, { limit: 2, cursor }))!;
        seen.push(...page.items);
        if (seen.length === 2) told.push(...(await talk(alice, 2, { limit: 4 })));
        cursor = page.nextCursor;
        if (cursor === undefined) break;
      }
      expect(seen).toEqual([...told.slice(0, 2), ...told.slice(3)]);
    });

    it('makes pages shorter when messages are long, but never empty', async () => {
      const run = await begin(alice);
      const [short, long] = ['x'.repeat(400_000), 'x'.repeat(2_000_000)];
      const messages = [short, short, short, long, short].map((content, index) => message(index, { content }));
      await append(run, messages);
      const sizes: number[] = [];
      for (let cursor: string | undefined; ;) {
        const page = (await store().list(alice, THREAD, { limit: 5, cursor }))!;
        sizes.push(page.items.length);
        cursor = page.nextCursor;
        if (cursor === undefined) break;
      }
      expect(sizes).toEqual([2, 1, 1, 1]);
    });

    it('knows an empty thread from none, and from one of another user', async () => {
      await world().ports.threads.create(alice, { id: THREAD, metadata: {}, createdAtMs: T0 });
      expect(await store().list(alice, THREAD, { limit: 9 })).toEqual({ items: [] });
      expect(await store().list(alice, 'other' as ThreadId, { limit: 9 })).toBeUndefined();
      expect(await store().list(bob, THREAD, { limit: 9 })).toBeUndefined();
    });

    it('refuses a cursor that no list gave', async () => {
      await talk(alice, 1);
      for (const cursor of ['', 'x', '-1', "1' OR 1=1", '9'.repeat(20)]) {
        const listed = store().list(alice, THREAD, { limit: 1, cursor });
        await expect(listed).rejects.toMatchObject({ code: 'invalid_request' });
      }
    });
  });

  describe('latest', () => {
    it('gives the newest runs that fit, oldest first', async () => {
      const [, second, third] = [await talk(alice, 2), await talk(alice, 3), await talk(alice, 2)];
      expect(await latest(alice)).toHaveLength(7);
      expect(await latest(alice, { tokens: 50 })).toEqual([...second, ...third]);
      expect(await latest(alice, { tokens: 39 })).toEqual(third);
      expect(await latest(alice, { tokens: 19 })).toEqual([]);
      expect(await latest(alice, { runs: 1 })).toEqual(third);
      expect(await latest(alice, { runs: 0 })).toEqual([]);
    });

    it('gives of a run that does not fit as a whole what was asked and answered', async () => {
      const [first, second, third] = [await talk(alice, 2), await talk(alice, 4, { tokens: 25 }), await talk(alice, 2)];
      const ends = [second[0]!, second[3]!];
      expect(await latest(alice, { tokens: 99 })).toEqual([...first, ...ends, ...third]);
      expect(await latest(alice, { tokens: 70 })).toEqual([...ends, ...third]);
      expect(await latest(alice, { tokens: 69 })).toEqual(third);
    });

    it('leaves no gap: what is older than a run that does not fit is left out', async () => {
      await talk(alice, 1);
      await talk(alice, 1, { tokens: 100 });
      const third = await talk(alice, 1);
      expect(await latest(alice, { tokens: 30 })).toEqual(third);
    });

    it("leaves out the asking run's own, and bob's", async () => {
      const told = await talk(alice, 2);
      await talk(bob, 2);
      const run = await begin(alice);
      await append(run, [message(0)]);
      expect(await latest(alice, { except: run.id })).toEqual(told);
      expect(await latest('nobody' as UserId)).toEqual([]);
      expect(await latest(alice, {}, 'other' as ThreadId)).toEqual([]);
    });
  });

  describe('the deletion of a thread', () => {
    it("removes its conversation, not bob's of the same name, and a new one begins empty", async () => {
      const { threads } = world().ports;
      await talk(alice, 3);
      const his = await talk(bob, 2);
      expect(await threads.delete(alice, THREAD)).toBe(true);
      expect(await all(alice)).toBeUndefined();
      expect(await latest(alice)).toEqual([]);
      expect(await all(bob)).toEqual(his);
      const again = await talk(alice, 1);
      expect(await all(alice)).toEqual(again);
    });

    it('does so for any number of messages', async () => {
      await talk(alice, 1_100, { limit: 2_000 });
      expect(await world().ports.threads.delete(alice, THREAD)).toBe(true);
      expect(await all(alice)).toBeUndefined();
    });
  });
}
