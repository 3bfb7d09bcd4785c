import type { UserId } from '../../src/shared/ids.js';
import {
  alice,
  bob,
  onEmptyStorage,
  outcomeOf,
  ROOMY,
  T0,
  terminalDraft,
  thinking,
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
}
