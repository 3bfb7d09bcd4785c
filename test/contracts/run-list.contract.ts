import type { LaneLimits } from '../../src/execution/lane.js';

import type { RunId, ThreadId, UserId } from '../../src/shared/ids.js';
import { alice, bob, newRun, onEmptyStorage, ROOMY, type OpenStorage } from './storage-world.js';

const thread = (id: string) => id as ThreadId;

/** The part of `RunStore` that lists runs. */
export function runListContract(openStorage: OpenStorage): void {
  const world = onEmptyStorage(openStorage);

  async function pages(userId: UserId, filter: object, limit: number): Promise<RunId[]> {
    const ids: RunId[] = [];
    for (let cursor: string | undefined; ;) {
      const page = await world().ports.runs.list(userId, filter, { limit, cursor });
      expect(page.items.length).toBeLessThanOrEqual(limit);
      ids.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor;
      if (cursor === undefined) return ids;
    }
  }

  it("gives a user's runs newest first, whole, in pages, and nobody else's", async () => {
    const mine: RunId[] = [];
    for (let i = 0; i < 7; i++) {
      mine.unshift((await world().ports.runs.submit(alice, newRun(), ROOMY)).run.id);
      await world().ports.runs.submit(bob, newRun(), ROOMY);
    }
    for (const limit of [1, 2, 7, 50]) expect(await pages(alice, {}, limit)).toEqual(mine);
    expect(await pages('nobody' as UserId, {}, 5)).toEqual([]);
  });

  it('filters by every status and by thread, in pages', async () => {
    const ids: Record<string, RunId[]> = { queued: [], running: [], completed: [], failed: [], cancelled: [] };
    const threads = ['t0', 't1', 't0'].map(thread);
    for (const threadId of threads) {
      for (const status of ['completed', 'failed', 'cancelled'] as const) {
        ids[status]!.unshift((await world().ended(alice, { threadId }, status)).id);
        await world().ended(bob, { threadId }, status);
      }
    }
    for (const threadId of threads.slice(0, 2)) ids.running!.unshift((await world().running(alice, { threadId })).id);
    for (const threadId of threads) {
      ids.queued!.unshift((await world().ports.runs.submit(alice, newRun({ threadId }), ROOMY)).run.id);
    }
    for (const [status, expected] of Object.entries(ids)) {
      const [t0, t1] =
        status === 'running' ? [[expected[1]], [expected[0]]] : [[expected[0], expected[2]], [expected[1]]];
      expect(await pages(alice, { status }, 2)).toEqual(expected);
      expect(await pages(alice, { status, threadId: thread('t0') }, 1)).toEqual(t0);
      expect(await pages(alice, { status, threadId: thread('t1') }, 9)).toEqual(t1);
    }
    expect(await pages(alice, { threadId: thread('t1') }, 2)).toHaveLength(5);
    expect(await pages(alice, { status: 'suspended' }, 2)).toEqual([]);
    expect(await pages(alice, { threadId: thread('none') }, 2)).toEqual([]);
  });

  it('makes nothing of a cursor that it never gave', async () => {
    await world().ports.runs.submit(alice, newRun(), ROOMY);
    await world().ports.runs.submit(bob, newRun(), ROOMY);
    for (const cursor of ['', 'run_', "' OR 1=1 --", '\u{10ffff}\u{10ffff}']) {
      const { items } = await world().ports.runs.list(alice, {}, { limit: 10, cursor });
      expect(items.every(({ userId }) => userId === alice)).toBe(true);
    }
  });

  it('lists for a starting process who has a place and has not ended, of all users, oldest first, in pages', async () => {
    const one: LaneLimits = { ...ROOMY, maxRunning: 2 };
    const { runs } = world().ports;
    const running = await world().running(alice, {}, one);
    await world().ended(alice);
    const { run: queued } = await runs.submit(bob, newRun(), one);
    const { run: other } = await runs.submit(alice, newRun(), one);
    await runs.submit(alice, newRun(), one);
    const expected = [
      { userId: alice, runId: running.id, status: 'running', fence: 1 },
      { userId: bob, runId: queued.id, status: 'queued', fence: 0 },
      { userId: alice, runId: other.id, status: 'queued', fence: 0 },
    ];
    expect(await runs.unfinished(undefined, 10)).toEqual(expected);
    expect(await runs.unfinished(undefined, 2)).toEqual(expected.slice(0, 2));
    expect(await runs.unfinished(queued.id, 2)).toEqual(expected.slice(2));
  });
}
