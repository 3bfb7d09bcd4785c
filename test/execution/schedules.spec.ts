import type { ScheduleRequest } from '../../src/execution/schedule-request.js';
import type { ScheduleRecord } from '../../src/execution/schedule-store.port.js';
import type { RunId, UserId } from '../../src/shared/ids.js';
import { alice, bob, HeldClock } from '../contracts/storage-world.js';
import type { SqliteStorage } from '../../src/storage/sqlite/sqlite-storage.js';
import { ServicesWorld } from './services-world.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** From noon on: 13:00, 14:00, … */
const HOURLY: ScheduleRequest = { cron: '0 * * * *', agent: 'echo', input: { text: 'x' } };
const iso = (ms: number | undefined) => (ms === undefined ? undefined : new Date(ms).toISOString().slice(0, 16));

describe('recurring runs', () => {
  let world: ServicesWorld;

  beforeEach(async () => {
    world = await ServicesWorld.open();
  });

  afterEach(() => world[Symbol.asyncDispose]());

  const create = (request: Partial<ScheduleRequest> = {}, user = alice, roles: string[] = []) =>
    world.schedules.create(world.as(user, roles), { ...HOURLY, ...request });
  const find = ({ id }: ScheduleRecord, user = alice) => world.schedules.find(world.as(user), id);
  const runsOf = async (user = alice, in_ = world) => {
    const { items } = await in_.execution.list(in_.as(user), {}, { limit: 100 });
    return items;
  };

  it('begin at their times, as runs of whoever made the schedule, with the roles of then', async () => {
    const schedule = await create({ metadata: { a: 1 }, priority: 2 }, alice, ['reader']);
    expect(iso(schedule.nextAtMs)).toBe('2026-01-15T13:00');
    await world.passes(HOUR - 1);
    expect(world.begun).toEqual([]);
    await world.passes(1);
    const [run] = await runsOf();
    expect(run).toMatchObject({ agent: 'echo', input: { text: 'x' }, metadata: { a: 1 }, priority: 2 });
    expect(run!.origin.roles).toEqual(['reader']);
    expect(world.begun).toEqual([run!.id]);
    expect(await runsOf(bob)).toEqual([]);
    const after = await find(schedule);
    expect([iso(after.lastAtMs), iso(after.nextAtMs)]).toEqual(['2026-01-15T13:00', '2026-01-15T14:00']);
    expect(after.lastRunId).toBe(run!.id);
    expect(after.lastSkipped).toBeUndefined();
  });

  it('begin in time when the schedule was made a moment before', async () => {
    await create({ cron: '20 * * * * *' });
    await create({ cron: '10 * * * * *' }, bob);
    await world.passes(10_000);
    expect(world.consumer.begun.map(({ userId }) => userId)).toEqual([bob]);
    await world.passes(10_000);
    expect(world.consumer.begun.map(({ userId }) => userId)).toEqual([bob, alice]);
  });

  it('go on, each in a thread of its own, or all in one', async () => {
    const apart = await create();
    await create({ threadId: 'daily' });
    for (let i = 0; i < 3; i++) {
      await world.passes(HOUR);
      for (const id of world.begun.slice(-2)) await world.end(id);
    }
    const threads = (await runsOf()).map(({ threadId }) => threadId as string);
    expect(threads.filter((id) => id === 'daily')).toHaveLength(3);
    expect(new Set(threads).size).toBe(4);
    expect(iso((await find(apart)).nextAtMs)).toBe('2026-01-15T16:00');
  });

  it('keep to the hour of the wall over a change of the clocks', async () => {
    const clock = new HeldClock(Date.UTC(2026, 2, 28, 12));
    await using spring = await ServicesWorld.open({ clock });
    await spring.schedules.create(spring.as(alice), { ...HOURLY, cron: '0 9 * * *', timeZone: 'Europe/Berlin' });
    await spring.schedules.create(spring.as(bob), { ...HOURLY, cron: '30 2 * * *', timeZone: 'Europe/Berlin' });
    const begun: string[] = [];
    for (let hour = 0; hour < 48; hour++) {
      for (let half = 0; half < 2; half++) {
        await spring.passes(HOUR / 2);
        const fresh = spring.consumer.begun.slice(begun.length);
        for (const run of fresh) {
          begun.push(`${run.userId} ${iso(clock.now())}`);
          await spring.end(run.id);
        }
      }
    }
    expect(begun).toEqual([
      'bob 2026-03-29T01:00', // half past two does not exist: three o'clock
      'alice 2026-03-29T07:00',
      'bob 2026-03-30T00:30',
      'alice 2026-03-30T07:00',
    ]);
  });

  it('never overlap: a time at which the last run has not ended is skipped, and says so', async () => {
    const schedule = await create();
    await world.passes(HOUR);
    const [first] = world.begun as [RunId];
    await world.passes(HOUR);
    expect(await find(schedule)).toMatchObject({
      lastRunId: first,
      lastAtMs: world.clock.now(),
      lastSkipped: `its last run, ${first}, had not ended`,
    });
    await world.end(first);
    await world.passes(HOUR);
    expect(world.begun).toHaveLength(2);
    expect((await find(schedule)).lastSkipped).toBeUndefined();
  });

  it('do not stop because one of them is refused, and say why', async () => {
    await world[Symbol.asyncDispose]();
    world = await ServicesWorld.open({ env: { CARREL_USER_MAX_RUNNING: '1', CARREL_USER_MAX_QUEUED: '0' } });
    const schedule = await create();
    const { run } = await world.execution.submit(world.as(alice), { agent: 'echo', input: {} });
    await world.settled();
    await world.passes(HOUR);
    expect((await find(schedule)).lastSkipped).toMatch(/^queue_full: /);
    expect((await find(schedule)).lastRunId).toBeUndefined();
    await world.end(run.id);
    await world.passes(HOUR);
    expect(await find(schedule)).toMatchObject({ lastRunId: world.begun[1] });
  });

  it("do not stop alice's because bob's agent is gone", async () => {
    const [hers, his] = [await create(), await create({}, bob)];
    await world.storage.schedules.change(bob, his, { request: { ...his.request, agent: 'of-yesterday' } });
    await world.passes(HOUR);
    expect(world.consumer.begun.map(({ userId }) => userId)).toEqual([alice]);
    expect((await find(hers)).lastSkipped).toBeUndefined();
    expect((await find(his, bob)).lastSkipped).toMatch(/^unknown_agent: /);
    expect(iso((await find(his, bob)).nextAtMs)).toBe('2026-01-15T14:00');
  });

  it('are many at one time, each once', async () => {
    const users = Array.from({ length: 120 }, (_, i) => `user-${i}` as UserId);
    await Promise.all(users.map((user) => create({}, user)));
    await world.passes(HOUR);
    for (let i = 0; i < 20; i++) await world.settled();
    const runs = await Promise.all(users.map((user) => runsOf(user)));
    expect(runs.map((own) => own.length)).toEqual(users.map(() => 1));
  });

  describe('that were missed while no server ran', () => {
    /** Makes a schedule, lets the server die and come back after that long. */
    async function back(missed: ScheduleRequest['missed'], afterMs: number) {
      const schedule = await create({ missed });
      const { dir } = world.config.data;
      world.crash();
      world.clock.advance(afterMs);
      return { schedule, later: await ServicesWorld.open({ dir, clock: new HeldClock(world.clock.now()) }) };
    }

    it('bring nothing, unless it was asked otherwise', async () => {
      const { schedule, later } = await back(undefined, 3 * HOUR + 30 * MINUTE);
      await using _ = later;
      expect(await runsOf(alice, later)).toEqual([]);
      const now = await later.schedules.find(later.as(alice), schedule.id);
      expect(now).toMatchObject({ lastSkipped: 'no server ran at that time' });
      expect(iso(now.nextAtMs)).toBe('2026-01-15T16:00');
      await later.passes(30 * MINUTE);
      expect(later.begun).toHaveLength(1);
    });

    it('bring one run for all of them', async () => {
      const { schedule, later } = await back('run_once', 3 * HOUR + 30 * MINUTE);
      await using _ = later;
      expect(later.begun).toHaveLength(1);
      const now = await later.schedules.find(later.as(alice), schedule.id);
      expect([iso(now.lastAtMs), iso(now.nextAtMs)]).toEqual(['2026-01-15T13:00', '2026-01-15T16:00']);
    });

    it('are not missed by the moment that a restart takes', async () => {
      const { later } = await back('skip', HOUR + 20_000);
      await using _ = later;
      expect(later.begun).toHaveLength(1);
    });
  });

  describe('when the process dies at the time of one', () => {
    const never = () => new Promise<never>(() => undefined);

    /** The storage of a process that dies at that point: what it was about to do never comes back. */
    const STAGES: Record<string, (storage: SqliteStorage) => void> = {
      'before anything is written': (storage) => {
        storage.schedules.change = never;
      },
      'before the run is submitted': (storage) => {
        storage.runs.submit = never;
      },
      'after the run is submitted': (storage) => {
        const submit = storage.runs.submit.bind(storage.runs);
        storage.runs.submit = async (...args) => {
          await submit(...args);
          return never();
        };
      },
      'before the next time is written': (storage) => {
        const change = storage.schedules.change.bind(storage.schedules);
        storage.schedules.change = (userId, id, to) => ('nextAtMs' in to ? never() : change(userId, id, to));
      },
    };

    it.each(
      Object.keys(STAGES).flatMap((stage) => [
        [stage, 10_000],
        [stage, 90 * MINUTE],
      ]) as [string, number][],
    )('%s brings exactly one run for it, or one at most when it is too late (%d ms)', async (stage, downMs) => {
      const { dir } = world.config.data;
      const schedule = await create();
      world.crash();
      const dying = await ServicesWorld.open({ dir, clock: world.clock, stage: STAGES[stage] });
      await dying.passes(HOUR);
      const wasSubmitted = (await runsOf(alice, dying)).length === 1;
      dying.crash();
      world.clock.advance(downMs);
      await using later = await ServicesWorld.open({ dir, clock: new HeldClock(world.clock.now()) });
      const runs = await runsOf(alice, later);
      expect(runs).toHaveLength(wasSubmitted || downMs < MINUTE ? 1 : 0);
      const now = await later.schedules.find(later.as(alice), schedule.id);
      expect(now.lastRunId).toBe(runs[0]?.id);
      expect(now.lastSkipped).toBe(runs.length === 1 ? undefined : 'no server ran at that time');
      expect(now.nextAtMs).toBeGreaterThan(later.clock.now());
    });

    it('with several missed brings one run for all of them, not one more for the one that had begun', async () => {
      const { dir } = world.config.data;
      await create({ missed: 'run_once' });
      world.crash();
      const stage = STAGES['after the run is submitted'];
      const dying = await ServicesWorld.open({ dir, clock: world.clock, stage });
      await dying.passes(HOUR);
      dying.crash();
      world.clock.advance(30 * MINUTE);
      await using later = await ServicesWorld.open({ dir, clock: new HeldClock(world.clock.now()) });
      expect(await runsOf(alice, later)).toHaveLength(1);
    });
  });
});
