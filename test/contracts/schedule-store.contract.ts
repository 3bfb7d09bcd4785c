import type { ScheduleRecord } from '../../src/execution/schedule-store.port.js';
import { newId, type ScheduleId, type ThreadId, type UserId } from '../../src/shared/ids.js';
import { alice, bob, onEmptyStorage, T0, upTo, type OpenStorage } from './storage-world.js';

const MANY = 1_000;

function schedule(userId: UserId, over: Partial<ScheduleRecord> = {}): ScheduleRecord {
  return {
    id: newId('sch'),
    userId,
    cron: '0 9 * * 1-5',
    timeZone: 'Europe/Berlin',
    missed: 'skip',
    paused: false,
    request: { agent: 'summarise', input: { text: 'ünï "quoted"' }, metadata: { purpose: 'test' }, priority: 0 },
    roles: ['reader'],
    createdAtMs: T0,
    revision: 0,
    nextAtMs: T0 + 1_000,
    ...over,
  };
}

/** What every adapter of `ScheduleStore` has to keep. */
export function scheduleStoreContract(openStorage: OpenStorage): void {
  const world = onEmptyStorage(openStorage);
  const create = async (userId: UserId, over: Partial<ScheduleRecord> = {}, limit = MANY) => {
    const made = schedule(userId, over);
    await world().ports.schedules.create(userId, made, limit);
    return made;
  };

  it('keeps a schedule as it was made, for its user only', async () => {
    const { schedules } = world().ports;
    const steps = [{ name: 'a', agent: 'summarise' }];
    const request = { pipeline: { steps }, input: null, threadId: 't' as ThreadId, metadata: {}, priority: 3 };
    const hers = await create(alice, {
      request,
      lastAtMs: T0 - 1,
      lastRunId: newId('run'),
      lastSkipped: 'it still ran',
    });
    const paused = await create(bob, { paused: true, nextAtMs: undefined });
    expect(await schedules.find(alice, hers.id)).toEqual(hers);
    expect(await schedules.find(bob, paused.id)).toEqual(paused);
    expect(await schedules.find(bob, hers.id)).toBeUndefined();
    expect(await schedules.find(alice, newId('sch'))).toBeUndefined();
    expect((await schedules.list(bob, { limit: 9 })).items).toEqual([paused]);
    expect((await schedules.list('nobody' as UserId, { limit: 9 })).items).toEqual([]);
  });

  it('lets a user have so many and no more, and counts nobody else’s', async () => {
    const { schedules } = world().ports;
    const first = await create(alice, {}, 2);
    await create(alice, {}, 2);
    await expect(create(alice, {}, 2)).rejects.toMatchObject({ code: 'too_many_schedules' });
    await create(bob, {}, 2);
    await schedules.delete(alice, first.id);
    await create(alice, {}, 2);
    expect((await schedules.list(alice, { limit: 9 })).items).toHaveLength(2);
  });

  it('lists newest first, in pages', async () => {
    const { schedules } = world().ports;
    const ids: ScheduleId[] = [];
    for (const _ of upTo(5)) {
      ids.unshift((await create(alice)).id);
      await create(bob);
    }
    for (const limit of [1, 2, 5, 9]) {
      const seen: ScheduleId[] = [];
      for (let cursor: string | undefined; ;) {
        const page = await schedules.list(alice, { limit, cursor });
        expect(page.items.length).toBeLessThanOrEqual(limit);
        seen.push(...page.items.map(({ id }) => id));
        cursor = page.nextCursor;
        if (cursor === undefined) break;
      }
      expect(seen).toEqual(ids);
    }
  });

  it('changes what it is told to change, and takes away what is undefined', async () => {
    const { schedules } = world().ports;
    const made = await create(alice, { lastSkipped: 'it still ran' });
    const change = { cron: '* * * * *', paused: true, nextAtMs: undefined, lastSkipped: undefined };
    const { nextAtMs: _, lastSkipped: __, ...rest } = made;
    const changed = { ...rest, cron: '* * * * *', paused: true, revision: 1 };
    expect(await schedules.change(alice, made, change)).toEqual(changed);
    expect(await schedules.find(alice, made.id)).toEqual(changed);
    const again = await schedules.change(alice, changed, { nextAtMs: T0 + 5 });
    expect(again).toEqual({ ...changed, nextAtMs: T0 + 5, revision: 2 });
  });

  it('lets one of many that have read the same change it, so that none overwrites what it has not seen', async () => {
    const { schedules } = world().ports;
    const made = await create(alice);
    const answers = await Promise.all(upTo(20).map((i) => schedules.change(alice, made, { lastAtMs: T0 + i })));
    const changed = answers.filter((answer) => answer !== undefined);
    expect(changed).toHaveLength(1);
    expect(await schedules.find(alice, made.id)).toEqual(changed[0]);
    expect(await schedules.change(alice, made, { paused: true })).toBeUndefined();
    await schedules.delete(alice, made.id);
    expect(await schedules.change(alice, changed[0]!, { paused: true })).toBeUndefined();
  });

  it("lets bob neither change nor delete alice's", async () => {
    const { schedules } = world().ports;
    const hers = await create(alice);
    await create(bob);
    expect(await schedules.change(bob, hers, { paused: true })).toBeUndefined();
    expect(await schedules.delete(bob, hers.id)).toBe(false);
    expect(await schedules.find(alice, hers.id)).toEqual(hers);
    expect(await schedules.delete(alice, hers.id)).toBe(true);
    expect(await schedules.delete(alice, hers.id)).toBe(false);
    expect(await schedules.find(alice, hers.id)).toBeUndefined();
  });

  it('knows whose time has come, of all users, the oldest first, and when the next one’s does', async () => {
    const { schedules } = world().ports;
    expect(await schedules.nextDueMs()).toBeUndefined();
    const third = await create(alice, { nextAtMs: T0 + 30 });
    const first = await create(bob, { nextAtMs: T0 + 10 });
    const second = await create(alice, { nextAtMs: T0 + 20 });
    await create(alice, { nextAtMs: undefined });
    expect(await schedules.nextDueMs()).toBe(T0 + 10);
    expect(await schedules.due(T0 + 9, 9)).toEqual([]);
    expect(await schedules.due(T0 + 20, 9)).toEqual([first, second]);
    expect(await schedules.due(T0 + 99, 9)).toEqual([first, second, third]);
    expect(await schedules.due(T0 + 99, 1)).toEqual([first]);
    await schedules.change(bob, first, { nextAtMs: undefined });
    await schedules.delete(alice, second.id);
    expect(await schedules.nextDueMs()).toBe(T0 + 30);
  });
}
