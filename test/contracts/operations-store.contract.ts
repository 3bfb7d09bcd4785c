import type { AuditEntry, KillSwitch } from '../../src/execution/operations/operations-store.port.js';
import { newId, type UserId } from '../../src/shared/ids.js';
import { alice, bob, newRun, onEmptyStorage, ROOMY, T0, thinking, upTo, type OpenStorage } from './storage-world.js';

const olga = 'olga' as UserId;
const carol = 'carol' as UserId;

function entry(over: Partial<AuditEntry> = {}): AuditEntry {
  const subject = { kind: 'agent', name: 'summarise' } as const;
  return { id: newId('aud'), atMs: T0, by: olga, action: 'switch_set', subject, details: { reason: 'x' }, ...over };
}

function off(kind: KillSwitch['kind'], name: string, reason = 'it misbehaves'): KillSwitch {
  return { kind, name, reason, by: olga, atMs: T0 };
}

/** What every adapter of `OperationsStore` has to keep. */
export function operationsStoreContract(openStorage: OpenStorage): void {
  const world = onEmptyStorage(openStorage);
  const store = () => world().ports.operations;

  describe('switches', () => {
    it('are there once they are set, with the last reason, and gone once they are unset; each with its entry', async () => {
      expect(await store().switches()).toEqual([]);
      await store().setSwitch(off('agent', 'summarise'), entry(), 10);
      await store().setSwitch(off('user', 'summarise', "a user of an agent's name"), entry(), 10);
      expect(await store().switches()).toEqual([
        off('agent', 'summarise'),
        off('user', 'summarise', "a user of an agent's name"),
      ]);
      await store().setSwitch(off('agent', 'summarise', 'still'), entry(), 10);
      expect(await store().switches()).toContainEqual(off('agent', 'summarise', 'still'));
      const unset = entry({ action: 'switch_unset' });
      expect(await store().unsetSwitch({ kind: 'agent', name: 'summarise' }, unset)).toBe(true);
      expect(await store().switches()).toHaveLength(1);
      const { items } = await store().audit({ limit: 10 });
      expect(items.map(({ action }) => action)).toEqual(['switch_unset', 'switch_set', 'switch_set', 'switch_set']);
    });

    it('that are not set can not be unset, and leave no entry', async () => {
      expect(await store().unsetSwitch({ kind: 'user', name: 'alice' }, entry())).toBe(false);
      expect((await store().audit({ limit: 10 })).items).toEqual([]);
    });

    it('are bounded, but what is set already can be set again', async () => {
      for (const n of [1, 2]) await store().setSwitch(off('user', `user-${n}`), entry(), 2);
      await expect(store().setSwitch(off('user', 'user-3'), entry(), 2)).rejects.toMatchObject({
        code: 'too_many_switches',
      });
      await store().setSwitch(off('user', 'user-2', 'again'), entry(), 2);
      expect(await store().switches()).toHaveLength(2);
      expect((await store().audit({ limit: 10 })).items).toHaveLength(3);
    });
  });

  describe('the audit trail', () => {
    it('is kept as it was written, and read in pages, newest first', async () => {
      const entries = upTo(5).map((n) => entry({ atMs: T0 + n, details: { n, deep: { list: [null, 'é'] } } }));
      for (const one of entries) await store().record(one);
      const first = await store().audit({ limit: 2 });
      expect(first.items).toEqual([entries[4], entries[3]]);
      const second = await store().audit({ limit: 10, cursor: first.nextCursor });
      expect(second).toEqual({ items: [entries[2], entries[1], entries[0]] });
    });

    it('loses what is older, a batch at a time, and nothing else', async () => {
      for (const n of upTo(4)) await store().record(entry({ atMs: T0 + n }));
      expect(await store().pruneAudit(new Date(T0 + 4), 2)).toBe(2);
      expect(await store().pruneAudit(new Date(T0 + 4), 2)).toBe(1);
      expect(await store().pruneAudit(new Date(T0 + 4), 2)).toBe(0);
      expect((await store().audit({ limit: 10 })).items.map(({ atMs }) => atMs)).toEqual([T0 + 4]);
    });
  });
}

/** What every adapter of `OperationsStore` has to keep of what is in all lanes. */
export function oversightContract(openStorage: OpenStorage): void {
  const world = onEmptyStorage(openStorage);
  const store = () => world().ports.operations;

  describe('who is busy', () => {
    it('has most waiting first, then most running, in pages; who has nothing under way is not among them', async () => {
      const { runs } = world().ports;
      const limits = { ...ROOMY, maxRunning: 1 };
      await world().ended(carol);
      for (const _ of upTo(3)) await runs.submit(alice, newRun(), limits);
      for (const _ of upTo(3)) await runs.submit(bob, newRun(), ROOMY);
      await runs.submit('dora.d' as UserId, newRun(), ROOMY);
      const first = await store().busyUsers({ limit: 1 });
      expect(first.items).toEqual([{ userId: alice, running: 1, waiting: 2 }]);
      const second = await store().busyUsers({ limit: 1, cursor: first.nextCursor });
      expect(second.items).toEqual([{ userId: bob, running: 3, waiting: 0 }]);
      const third = await store().busyUsers({ limit: 1, cursor: second.nextCursor });
      expect(third).toEqual({ items: [{ userId: 'dora.d', running: 1, waiting: 0 }] });
    });
  });

  describe('the load', () => {
    it('is what all users have in their lanes, and since when the first waits for a process', async () => {
      expect(await store().load()).toEqual({ placed: 0, waiting: 0, oldestUnclaimedMs: undefined });
      const limits = { ...ROOMY, maxRunning: 1 };
      await world().running(alice);
      for (const ms of [2, 1]) await world().ports.runs.submit(alice, newRun({ createdAtMs: T0 + ms }), limits);
      await world().ports.runs.submit(bob, newRun({ createdAtMs: T0 + 9 }), limits);
      expect(await store().load()).toEqual({ placed: 2, waiting: 2, oldestUnclaimedMs: T0 + 9 });
    });
  });

  describe('who is quiet', () => {
    it('has runs that hold a place and have given no sign since then, the quietest first', async () => {
      const { journal } = world().ports;
      const old = await world().running(alice, { createdAtMs: T0 - 1_000 });
      const lively = await world().running(bob);
      await world().ended(bob);
      await journal.append(bob, lively.id, lively.fence, [thinking('still here', { atMs: T0 + 60_000 })]);
      const quiet = await store().quietRuns(T0 + 30_000, 10);
      expect(quiet).toEqual([
        { userId: alice, runId: old.id, agent: 'summarise', status: 'running', attempt: 1, lastSignMs: T0 },
      ]);
      expect(await store().quietRuns(T0 + 60_001, 1)).toMatchObject([{ userId: alice }]);
      expect(await store().quietRuns(T0 + 60_001, 10)).toMatchObject([{ userId: alice }, { userId: bob }]);
    });
  });

  describe('the runs of an agent', () => {
    it('are those of all users that hold a place, in pages', async () => {
      const hers = await world().running(alice);
      const his = await world().running(bob);
      await world().running(bob, { agent: 'compare' });
      await world().ended(alice);
      const refs = [hers, his].map(({ userId, id }) => ({ userId, runId: id }));
      expect(await store().placedRunsOf('summarise', undefined, 10)).toEqual(refs);
      expect(await store().placedRunsOf('summarise', undefined, 1)).toEqual([refs[0]]);
      expect(await store().placedRunsOf('summarise', hers.id, 10)).toEqual([refs[1]]);
    });
  });
}
