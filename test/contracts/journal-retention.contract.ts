import type { NewApproval } from '../../src/events/approval-record.js';
import type { UserId } from '../../src/shared/ids.js';
import { asking, okStep, question, recorded } from './step-drafts.js';
import {
  alice,
  bob,
  onEmptyStorage,
  outcomeOf,
  ROOMY,
  T0,
  terminalDraft,
  thinking,
  upTo,
  type OpenStorage,
} from './storage-world.js';

/** The part of `EventJournal` that removes what is old. */
export function journalRetentionContract(openStorage: OpenStorage): void {
  const world = onEmptyStorage(openStorage);
  const LATER = new Date(T0 + 1);

  async function runAt(userId: UserId, atMs: number, thoughts: number) {
    const { runs, journal } = world().ports;
    const run = await world().running(userId);
    await journal.append(
      userId,
      run.id,
      run.fence,
      Array.from({ length: thoughts }, () => thinking('x', { atMs })),
    );
    await runs.finish(
      userId,
      run.id,
      run.fence,
      outcomeOf('completed', atMs),
      [terminalDraft('completed', atMs)],
      ROOMY,
    );
    return run;
  }

  async function kept(userId: UserId): Promise<number[]> {
    return (await world().events(userId)).map(({ seq }) => seq);
  }

  it("removes ended runs' events that are older, and keeps the numbering", async () => {
    const { runs, journal } = world().ports;
    const old = await runAt(alice, T0, 1); // 1 to 3
    await runAt(alice, T0 + 1, 1); // 4 is from T0, 5 and 6 are not older
    expect(await journal.prune(LATER, 100)).toBe(4);
    expect(await kept(alice)).toEqual([5, 6]);
    expect(await journal.bounds(alice)).toEqual({ pruned: 4, last: 6 });
    expect(await runs.find(alice, old.id)).toMatchObject({ status: 'completed' });
    await world().running(alice);
    expect(await kept(alice)).toEqual([5, 6, 7]);
    expect(await journal.prune(LATER, 100)).toBe(0);
  });

  it('goes on with the next number when everything was removed', async () => {
    const { journal } = world().ports;
    await runAt(alice, T0, 0);
    expect(await journal.prune(LATER, 100)).toBe(2);
    expect(await journal.bounds(alice)).toEqual({ pruned: 2, last: 2 });
    expect(await journal.read(alice, { after: 0, limit: 9 })).toEqual({ items: [], next: 0 });
    await runAt(alice, T0, 0);
    expect(await kept(alice)).toEqual([3, 4]);
    expect(await journal.prune(LATER, 100)).toBe(2);
    expect(await journal.bounds(alice)).toEqual({ pruned: 4, last: 4 });
  });

  it('stops at the first event of a run that has not ended, however old what follows is', async () => {
    const { journal } = world().ports;
    await runAt(alice, T0, 0); // 1, 2
    const live = await world().running(alice); // 3
    await runAt(alice, T0, 0); // 4, 5
    await runAt(bob, T0, 0);
    expect(await journal.prune(LATER, 100)).toBe(4);
    expect(await kept(alice)).toEqual([3, 4, 5]);
    expect(await kept(bob)).toEqual([]);
    expect(await journal.prune(LATER, 100)).toBe(0);
    await world().end(live); // 6
    expect(await journal.prune(LATER, 100)).toBe(4);
    expect(await journal.bounds(alice)).toEqual({ pruned: 6, last: 6 });
  });

  it('works in batches, and says by a short one that nothing is left', async () => {
    const { journal } = world().ports;
    await runAt(alice, T0, 5);
    await runAt(bob, T0, 5);
    const batches: number[] = [];
    do batches.push(await journal.prune(LATER, 4));
    while (batches.at(-1) === 4);
    expect(batches).toEqual([4, 4, 4, 2]);
    expect([...(await kept(alice)), ...(await kept(bob))]).toEqual([]);
  });

  it('reaches users beyond those whose old events may not go', async () => {
    const { journal } = world().ports;
    for (let i = 0; i < 120; i++) await world().running(`blocked-${i}` as UserId);
    await runAt(alice, T0, 0);
    expect(await journal.prune(LATER, 10)).toBe(2);
  });

  it('removes the steps and questions of runs that ended before, in batches, and no others', async () => {
    const { runs, journal, approvals } = world().ports;
    const decider = { userId: alice, roles: [] };
    const asked = [question(), question(), question()];
    const stepped = async (approval: NewApproval) => {
      const run = await world().running(alice);
      const steps = upTo(5).map((i) => recorded(okStep(`step-${i}`)));
      await journal.append(alice, run.id, run.fence, [...steps, asking(approval)]);
      return run;
    };
    const old = await stepped(asked[0]!);
    await runs.finish(alice, old.id, old.fence, outcomeOf('completed', T0), [terminalDraft('completed', T0)], ROOMY);
    const recent = await stepped(asked[1]!);
    const atEnd = T0 + 1;
    const end = [terminalDraft('completed', atEnd)];
    await runs.finish(alice, recent.id, recent.fence, outcomeOf('completed', atEnd), end, ROOMY);
    const live = await stepped(asked[2]!);

    let batches = 0;
    for (let removed = 3; removed === 3; batches += 1) {
      removed = await journal.prune(LATER, 3);
      expect(removed).toBeLessThanOrEqual(3);
    }
    expect(batches).toBeGreaterThan(4);
    expect(await runs.steps(alice, old.id)).toEqual([]);
    expect(await approvals.find(decider, asked[0]!.id)).toBeUndefined();
    expect(await runs.find(alice, old.id)).toMatchObject({ status: 'completed' });
    for (const [i, run] of [recent, live].entries()) {
      expect(await runs.steps(alice, run.id)).toHaveLength(6);
      expect(await approvals.find(decider, asked[i + 1]!.id)).toBeDefined();
    }
    expect(await journal.prune(LATER, 3)).toBe(0);
  });
}
