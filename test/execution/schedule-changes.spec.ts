import type { ScheduleRequest } from '../../src/execution/schedule-request.js';
import type { ScheduleRecord } from '../../src/execution/schedule-store.port.js';
import { newId } from '../../src/shared/ids.js';
import { alice, bob } from '../contracts/storage-world.js';
import { ServicesWorld } from './services-world.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** From noon on: 13:00, 14:00, … */
const HOURLY: ScheduleRequest = { cron: '0 * * * *', agent: 'echo', input: { text: 'x' } };
const iso = (ms: number | undefined) => (ms === undefined ? undefined : new Date(ms).toISOString().slice(0, 16));

describe('recurring runs, as their owner has them', () => {
  let world: ServicesWorld;

  beforeEach(async () => {
    world = await ServicesWorld.open({ env: { CARREL_USER_MAX_SCHEDULES: '2' } });
  });

  afterEach(() => world[Symbol.asyncDispose]());

  const create = (request: Partial<ScheduleRequest> = {}, user = alice, roles: string[] = []) =>
    world.schedules.create(world.as(user, roles), { ...HOURLY, ...request });
  const find = ({ id }: ScheduleRecord, user = alice) => world.schedules.find(world.as(user), id);
  const runsOf = async () => {
    const { items } = await world.execution.list(world.as(alice), {}, { limit: 100 });
    return items;
  };

  it('are hers: bob neither sees, changes nor deletes them', async () => {
    const schedule = await create();
    const his = world.as(bob);
    expect((await world.schedules.list(his, { limit: 10 })).items).toEqual([]);
    const { id } = schedule;
    const attempts = [
      () => world.schedules.find(his, id),
      () => world.schedules.change(his, id, { paused: true }),
      () => world.schedules.delete(his, id),
      () => world.schedules.find(his, newId('sch')),
    ];
    for (const attempt of attempts) {
      await expect(attempt()).rejects.toMatchObject({ code: 'not_found', message: 'there is no such schedule' });
    }
    expect(await find(schedule)).toEqual(schedule);
  });

  it('keep what another process changes at the same time', async () => {
    const { id } = await create();
    const { schedules } = world.storage;
    const real = schedules.change.bind(schedules);
    // just before her change is written, another process that has read the same changes the schedule
    schedules.change = async (userId, schedule, change) => {
      schedules.change = real;
      await real(userId, schedule, { timeZone: 'Europe/Berlin' });
      return real(userId, schedule, change);
    };
    const changed = await world.schedules.change(world.as(alice), id, { missed: 'run_once' });
    expect(changed).toMatchObject({ missed: 'run_once', timeZone: 'Europe/Berlin', revision: 2 });
  });

  it('stay paused when they were paused while another process brought their run', async () => {
    const schedule = await create();
    const { schedules } = world.storage;
    const real = schedules.change.bind(schedules);
    let calls = 0;
    schedules.change = async (userId, known, change) => {
      // between the begin of the run and its note in the schedule
      if (++calls === 2) await real(userId, known, { paused: true, nextAtMs: undefined });
      return real(userId, known, change);
    };
    await world.passes(HOUR);
    schedules.change = real;
    expect(await find(schedule)).toMatchObject({ paused: true, lastRunId: (await runsOf())[0]?.id });
    expect((await find(schedule)).nextAtMs).toBeUndefined();
    expect(await runsOf()).toHaveLength(1);
  });

  it('are bounded for each user', async () => {
    await create();
    await create();
    await expect(create()).rejects.toMatchObject({ code: 'too_many_schedules' });
    await expect(create({}, bob)).resolves.toBeDefined();
    expect((await world.schedules.list(world.as(alice), { limit: 10 })).items).toHaveLength(2);
  });

  it('are paused and resumed, without making up for anything', async () => {
    const schedule = await create({ missed: 'run_once' });
    await world.schedules.change(world.as(alice), schedule.id, { paused: true });
    await world.passes(2 * HOUR + 10 * MINUTE);
    expect(world.begun).toEqual([]);
    const resumed = await world.schedules.change(world.as(alice), schedule.id, { paused: false });
    expect(iso(resumed.nextAtMs)).toBe('2026-01-15T15:00');
    await world.passes(50 * MINUTE);
    expect(world.begun).toHaveLength(1);
  });

  it('come at other times when they are changed, in time even if that is earlier', async () => {
    const schedule = await create({ cron: '0 0 1 1 *' });
    await world.schedules.change(world.as(alice), schedule.id, { cron: '30 * * * * *' });
    await world.passes(30_000);
    expect(world.begun).toHaveLength(1);
  });

  it('run something else when they are changed, with the roles of whoever changed them', async () => {
    const schedule = await create({ metadata: { a: 1 } }, alice, ['reader']);
    const change = { agent: 'wait', input: { ms: 1 } };
    const changed = await world.schedules.change(world.as(alice, ['writer']), schedule.id, change);
    expect(changed.request).toMatchObject({ agent: 'wait', input: { ms: 1 }, metadata: { a: 1 } });
    await world.passes(HOUR);
    expect(await runsOf()).toMatchObject([{ agent: 'wait', input: { ms: 1 }, origin: { roles: ['writer'] } }]);
  });

  it('keep what they were when a change is refused', async () => {
    const schedule = await create();
    const change = (to: object) => world.schedules.change(world.as(alice), schedule.id, to);
    await expect(change({ cron: '* * * * * *' })).rejects.toMatchObject({ code: 'invalid_schedule' });
    await expect(change({ agent: 'of-yesterday' })).rejects.toMatchObject({ code: 'unknown_agent' });
    await expect(change({ agent: 'echo', pipeline: 'p' })).rejects.toMatchObject({ code: 'invalid_request' });
    await expect(change({ priority: 99 })).rejects.toMatchObject({ code: 'invalid_request' });
    expect(await find(schedule)).toEqual(schedule);
  });

  it('bring nothing more when they are deleted, and leave what they have brought', async () => {
    const schedule = await create();
    await world.passes(HOUR);
    await world.end(world.begun[0]!);
    await world.schedules.delete(world.as(alice), schedule.id);
    await world.passes(3 * HOUR);
    expect(await runsOf()).toHaveLength(1);
    await expect(find(schedule)).rejects.toMatchObject({ code: 'not_found' });
  });

  it.each<[string, object, string]>([
    ['no cron', { cron: undefined }, 'invalid_schedule'],
    ['a bad cron', { cron: '61 * * * *' }, 'invalid_schedule'],
    ['a bad time zone', { timeZone: 'Mars/Base' }, 'invalid_schedule'],
    ['an unknown policy', { missed: 'all' }, 'invalid_schedule'],
    ['a pause that is no yes or no', { paused: 'yes' }, 'invalid_schedule'],
    ['an unknown agent', { agent: 'of-yesterday' }, 'unknown_agent'],
    ['no agent', { agent: undefined }, 'invalid_request'],
    ['a bad input', { input: { text: 5 } }, 'invalid_input'],
    ['a bad thread', { threadId: '?' }, 'invalid_request'],
  ])('with %s are refused, and nothing is stored', async (_, over, code) => {
    await expect(create(over)).rejects.toMatchObject({ code });
    expect((await world.schedules.list(world.as(alice), { limit: 10 })).items).toEqual([]);
  });
});
