import { newId, type ThreadId } from '../../src/shared/ids.js';
import { asking, okStep, question, recorded, suspended } from './step-drafts.js';
import {
  alice,
  bob,
  closing,
  newRun,
  onEmptyStorage,
  ROOMY,
  T0,
  thinking,
  upTo,
  type OpenStorage,
} from './storage-world.js';

const thread = (id: string) => id as ThreadId;

/** What every adapter of `ThreadStore` has to keep. */
export function threadStoreContract(openStorage: OpenStorage): void {
  describe('create, find and list', () => recordContract(openStorage));
  describe('delete', () => deleteContract(openStorage));
}

function recordContract(openStorage: OpenStorage): void {
  const world = onEmptyStorage(openStorage);

  it('makes a thread once, and answers with what is there', async () => {
    const { threads } = world().ports;
    const asked = { id: thread('t'), title: 'A title', metadata: { a: [1, 'ü'] }, createdAtMs: T0 };
    expect(await threads.create(alice, asked)).toEqual({ thread: { ...asked, userId: alice }, created: true });
    const again = await threads.create(alice, { id: thread('t'), metadata: {}, createdAtMs: T0 + 1 });
    expect(again).toEqual({ thread: { ...asked, userId: alice }, created: false });
    expect(await threads.find(alice, thread('t'))).toEqual({ ...asked, userId: alice });
  });

  it('keeps threads of one id apart for alice and bob', async () => {
    const { threads } = world().ports;
    await threads.create(alice, { id: thread('t'), title: 'hers', metadata: {}, createdAtMs: T0 });
    expect(await threads.find(bob, thread('t'))).toBeUndefined();
    expect(await threads.create(bob, { id: thread('t'), metadata: {}, createdAtMs: T0 })).toMatchObject({
      created: true,
    });
    expect(await threads.find(bob, thread('t'))).not.toHaveProperty('title');
    expect((await threads.list(bob, { limit: 9 })).items).toHaveLength(1);
    expect(await threads.find(alice, thread('T'))).toBeUndefined();
  });

  it('makes one thread of many requests for it at once', async () => {
    const { threads, runs } = world().ports;
    const asked = { id: thread('t'), metadata: {}, createdAtMs: T0 };
    const made = await Promise.all([threads.create(alice, asked), threads.create(alice, asked)]);
    await runs.submit(alice, newRun({ threadId: thread('t') }), ROOMY);
    expect(made.filter(({ created }) => created)).toHaveLength(1);
    expect((await threads.list(alice, { limit: 9 })).items).toHaveLength(1);
  });

  it('lists newest first, in pages, also when a thread is deleted on the way', async () => {
    const { threads } = world().ports;
    for (const i of upTo(7)) {
      // two are of the same moment
      await threads.create(alice, { id: thread(`t:${i}`), metadata: {}, createdAtMs: T0 + Math.floor(i / 2) });
      await threads.create(bob, { id: thread(`b${i}`), metadata: {}, createdAtMs: T0 + i });
    }
    const ids: string[] = [];
    for (let cursor: string | undefined; ;) {
      const page = await threads.list(alice, { limit: 2, cursor });
      ids.push(...page.items.map(({ id }) => id));
      if (ids.length === 2) await threads.delete(alice, thread('t:6'));
      cursor = page.nextCursor;
      if (cursor === undefined) break;
    }
    expect(ids).toEqual(['t:7', 't:6', 't:5', 't:4', 't:3', 't:2', 't:1']);
    expect((await threads.list(alice, { limit: 6 })).nextCursor).toBeUndefined();
  });

  it('refuses a cursor that no list gave', async () => {
    const { threads } = world().ports;
    for (const cursor of ['', 'x', '1', "1' OR 1=1"]) {
      await expect(threads.list(alice, { limit: 1, cursor })).rejects.toMatchObject({ code: 'invalid_request' });
    }
  });
}

function deleteContract(openStorage: OpenStorage): void {
  const world = onEmptyStorage(openStorage);

  it('removes the thread, its runs and what their events say, and keeps the numbering', async () => {
    const { threads, runs, journal } = world().ports;
    const gone = await world().ended(alice, { threadId: thread('gone'), input: 'secret input' });
    const stays = await world().ended(alice, { threadId: thread('stays') });
    expect(await threads.delete(alice, thread('gone'))).toBe(true);
    expect(await threads.find(alice, thread('gone'))).toBeUndefined();
    expect(await runs.find(alice, gone.id)).toBeUndefined();
    expect((await runs.list(alice, {}, { limit: 9 })).items).toEqual([stays]);
    expect(await world().events(alice, gone.id)).toEqual([]);
    const all = await world().events(alice);
    expect(
      all.map(({ seq, runSeq, runId, type, data }) => [seq, runSeq, runId, type, Object.keys(data).length > 0]),
    ).toEqual([
      [1, 1, gone.id, 'agent_started', false],
      [2, 2, gone.id, 'agent_completed', false],
      [3, 1, stays.id, 'agent_started', true],
      [4, 2, stays.id, 'agent_completed', true],
    ]);
    expect(JSON.stringify(await journal.read(alice, { after: 0, limit: 9 }))).not.toContain('secret');
  });

  it('empties events whatever their texts look like', async () => {
    const { threads, journal } = world().ports;
    const run = await world().running(alice, { threadId: thread('a","data":{"b') });
    await journal.append(alice, run.id, run.fence, [thinking('secret ,"data":{}', { step: 's","data":"' })]);
    await world().end(run);
    await threads.delete(alice, run.threadId);
    const [, emptied] = await world().events(alice);
    expect(emptied).toMatchObject({ type: 'agent_thinking', threadId: run.threadId, step: 's","data":"' });
    expect(emptied?.data).toEqual({});
  });

  it("leaves bob's thread of the same id alone", async () => {
    const { threads, runs } = world().ports;
    await world().ended(alice, { threadId: thread('t') });
    const theirs = await world().ended(bob, { threadId: thread('t') });
    expect(await threads.delete(alice, thread('t'))).toBe(true);
    expect(await runs.find(bob, theirs.id)).toEqual(theirs);
    expect(await threads.find(bob, thread('t'))).toBeDefined();
    expect((await world().events(bob)).every(({ data }) => Object.keys(data).length > 0)).toBe(true);
  });

  it('says false for a thread that is not there, or is another user’s', async () => {
    const { threads } = world().ports;
    await threads.create(alice, { id: thread('t'), metadata: {}, createdAtMs: T0 });
    expect(await threads.delete(bob, thread('t'))).toBe(false);
    expect(await threads.delete(alice, thread('other'))).toBe(false);
    expect(await threads.delete(alice, thread('t'))).toBe(true);
    expect(await threads.delete(alice, thread('t'))).toBe(false);
  });

  it('is refused while a run of the thread has not ended', async () => {
    const { threads, runs } = world().ports;
    await world().ended(alice, { threadId: thread('t') });
    const { run } = await runs.submit(alice, newRun({ threadId: thread('t') }), ROOMY);
    await expect(threads.delete(alice, thread('t'))).rejects.toMatchObject({ code: 'thread_busy' });
    expect((await runs.list(alice, { threadId: thread('t') }, { limit: 9 })).items).toHaveLength(2);
    expect(await runs.find(alice, run.id)).toEqual(run);
  });

  it('is refused while a run of the thread is suspended or held', async () => {
    const { threads, runs } = world().ports;
    const threadId = thread('t');
    const run = await world().running(alice, { threadId });
    await runs.suspend(alice, run.id, run.fence, { approvals: [], untilMs: T0 + 1 }, [suspended()], ROOMY);
    await expect(threads.delete(alice, threadId)).rejects.toMatchObject({ code: 'thread_busy' });
    const { run: held } = await runs.submit(alice, newRun({ threadId }), ROOMY);
    await runs.requestCancel(alice, run.id, alice, () => closing(), ROOMY);
    await expect(threads.delete(alice, threadId)).rejects.toMatchObject({ code: 'thread_busy' });
    await runs.requestCancel(alice, held.id, alice, () => closing(), ROOMY);
    expect(await threads.delete(alice, threadId)).toBe(true);
  });

  it('removes the steps and questions of its runs, and nobody else’s', async () => {
    const { threads, runs, journal, approvals } = world().ports;
    const [hers, his] = [question({ title: 'secret' }), question()];
    const runsOf = [await world().running(alice), await world().running(bob)];
    for (const [i, run] of runsOf.entries()) {
      await journal.append(run.userId, run.id, run.fence, [recorded(okStep('a')), asking(i === 0 ? hers : his)]);
      await world().end(run);
    }
    const [gone, stays] = runsOf;
    expect(await threads.delete(alice, gone!.threadId)).toBe(true);
    expect(await runs.steps(alice, gone!.id)).toEqual([]);
    expect(await approvals.find({ userId: alice, roles: [] }, hers.id)).toBeUndefined();
    expect((await approvals.list({ userId: alice, roles: [] }, { open: false }, { limit: 9 })).items).toEqual([]);
    expect(JSON.stringify(await journal.read(alice, { after: 0, limit: 9 }))).not.toContain('secret');
    expect(await runs.steps(bob, stays!.id)).toHaveLength(2);
    expect(await approvals.find({ userId: bob, roles: [] }, his.id)).toBeDefined();
  });

  it('frees the idempotency keys of its runs', async () => {
    const { threads, runs } = world().ports;
    const idempotency = { key: 'k', fingerprint: 'f' };
    const first = await world().ended(alice, { threadId: thread('t'), idempotency });
    await threads.delete(alice, thread('t'));
    const { run, replayed } = await runs.submit(alice, newRun({ idempotency }), ROOMY);
    expect(replayed).toBe(false);
    expect(run.id).not.toBe(first.id);
  });

  it('removes a thread of hundreds of runs, and lets a new one begin under the same id', async () => {
    const { threads, runs } = world().ports;
    for (const _ of upTo(130)) await world().ended(alice, { threadId: thread('long') });
    expect(await threads.delete(alice, thread('long'))).toBe(true);
    expect((await runs.list(alice, {}, { limit: 9 })).items).toEqual([]);
    expect((await world().events(alice)).map(({ seq }) => seq)).toEqual(upTo(260));
    const run = await world().ended(alice, { threadId: thread('long'), id: newId('run') });
    expect((await world().events(alice, run.id)).map(({ seq }) => seq)).toEqual([261, 262]);
  });
}
