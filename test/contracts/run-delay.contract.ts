import type { LaneLimits } from '../../src/execution/lane.js';
import type { NewRun } from '../../src/execution/run-store.port.js';
import type { ThreadId } from '../../src/shared/ids.js';
import { alice, bob, closing, newRun, onEmptyStorage, opening, ROOMY, T0, type OpenStorage } from './storage-world.js';

const ONE: LaneLimits = { ...ROOMY, maxRunning: 1 };

/** The part of `RunStore` that lets runs begin later, or before others. */
export function runDelayContract(openStorage: OpenStorage): void {
  const world = onEmptyStorage(openStorage);
  const submit = (over: Partial<NewRun> = {}, limits = ROOMY) => world().ports.runs.submit(alice, newRun(over), limits);
  const idsInLine = async () => (await world().ports.runs.waiting(alice, 9)).map(({ id }) => id);

  it('holds a run until its time, says so, and leaves its place to others', async () => {
    const { runs } = world().ports;
    const { run, admitted } = await submit({ notBeforeMs: T0 + 500 }, ONE);
    expect(admitted).toBe(false);
    expect(run).toMatchObject({ status: 'queued', heldBy: 'delay', notBeforeMs: T0 + 500 });
    expect(await runs.find(alice, run.id)).toEqual(run);
    expect(await world().events(alice)).toMatchObject([
      { type: 'agent_queued', data: { position: 0, reason: 'delayed', notBefore: '2026-01-15T12:00:00.500Z' } },
    ]);
    expect(await runs.lane(alice)).toMatchObject({ running: 0, queued: 1 });
    expect(await runs.unfinished(undefined, 9)).toEqual([]);
    expect(await submit({}, ONE)).toMatchObject({ admitted: true });

    expect(await runs.wake(T0 + 500, 9, ONE)).toEqual({ admitted: [], answered: [], more: false });
    expect(await idsInLine()).toEqual([run.id]);
    expect(await runs.find(alice, run.id)).not.toHaveProperty('heldBy');
  });

  it('admits a run at its time when there is room, to be run like any other', async () => {
    const { runs } = world().ports;
    const { run } = await submit({ notBeforeMs: T0 + 500 });
    const woken = await runs.wake(T0 + 501, 9, ROOMY);
    expect(woken).toEqual({ admitted: [{ userId: alice, runId: run.id }], answered: [], more: false });
    expect(await runs.claim(alice, run.id, opening)).toMatchObject({
      attempt: 1,
      resumed: false,
      hasSteps: false,
      notBeforeMs: T0 + 500,
    });
  });

  it('does not hold a run whose time has come already', async () => {
    expect(await submit({ notBeforeMs: T0 })).toMatchObject({ admitted: true, run: { notBeforeMs: T0 } });
  });

  it('holds a run by its time first, then by its thread', async () => {
    const { runs } = world().ports;
    const threadId = 't' as ThreadId;
    const first = await world().running(alice, { threadId });
    const { run } = await submit({ threadId, notBeforeMs: T0 + 500 });
    expect(run).toMatchObject({ heldBy: 'delay' });
    expect(await runs.wake(T0 + 500, 9, ROOMY)).toMatchObject({ admitted: [] });
    expect(await runs.find(alice, run.id)).toMatchObject({ heldBy: 'thread' });
    expect(await world().end(first)).toEqual({ admitted: [{ userId: alice, runId: run.id }] });
  });

  it('lets a delayed run keep its turn in its thread', async () => {
    const { runs } = world().ports;
    const threadId = 't' as ThreadId;
    const first = await world().running(alice, { threadId });
    const { run: delayed } = await submit({ threadId, notBeforeMs: T0 + 500 });
    const { run: last } = await submit({ threadId });
    expect(await world().end(first)).toEqual({ admitted: [] });
    expect(await runs.find(alice, delayed.id)).toMatchObject({ heldBy: 'delay' });
    expect(await runs.wake(T0 + 500, 9, ROOMY)).toMatchObject({ admitted: [{ runId: delayed.id }] });
    expect(await runs.find(alice, last.id)).toMatchObject({ heldBy: 'thread' });
    const request = await runs.requestCancel(alice, delayed.id, alice, () => closing(), ROOMY);
    expect(request).toMatchObject({ admitted: [{ runId: last.id }] });
  });

  it('forgets a delayed run that is cancelled', async () => {
    const { runs } = world().ports;
    const { run } = await submit({ notBeforeMs: T0 + 500 });
    await runs.requestCancel(alice, run.id, alice, () => closing(), ROOMY);
    expect(await runs.nextDueMs()).toBeUndefined();
    expect(await runs.wake(T0 + 500, 9, ROOMY)).toEqual({ admitted: [], answered: [], more: false });
    expect(await runs.lane(alice)).toMatchObject({ running: 0, queued: 0 });
  });

  it('admits those of the highest priority first, of them the oldest, and says the true position', async () => {
    const first = await world().running(alice, {}, ONE);
    const ids = [];
    for (const priority of [undefined, 5, -3, 5, 0]) ids.push((await submit({ priority }, ONE)).run.id);
    const positions = (await world().events(alice)).flatMap(({ data }) => ('position' in data ? data.position : []));
    expect(positions).toEqual([1, 1, 3, 2, 4]);
    const order = [ids[1]!, ids[3]!, ids[0]!, ids[4]!, ids[2]!];
    expect(await idsInLine()).toEqual(order);
    let running = first;
    for (const id of order) {
      expect(await world().end(running, 'completed', ONE)).toEqual({ admitted: [{ userId: alice, runId: id }] });
      running = (await world().ports.runs.claim(alice, id, opening))!;
    }
    expect(running.priority).toBe(-3);
  });

  it("puts alice's runs before none of bob's, whatever their priority", async () => {
    const { runs } = world().ports;
    const his = await world().running(bob, {}, ONE);
    const { run: waits } = await runs.submit(bob, newRun(), ONE);
    await submit({ priority: 100 }, ONE);
    await submit({ priority: 100 }, ONE);
    expect(await world().end(his, 'completed', ONE)).toEqual({ admitted: [{ userId: bob, runId: waits.id }] });
  });
}
