import { newId, type RunId, type UserId } from '../../src/shared/ids.js';
import {
  alice,
  bob,
  closing,
  newRun,
  onEmptyStorage,
  opening,
  outcomeOf,
  ROOMY,
  RUN_ERROR,
  T0,
  terminalDraft,
  thinking,
  type OpenStorage,
} from './storage-world.js';

/** The part of `RunStore` that ends runs: once, for good, and only for who holds them. */
export function runEndContract(openStorage: OpenStorage): void {
  const world = onEmptyStorage(openStorage);

  it('ends a run: record, last events and place in one go', async () => {
    const { runs } = world().ports;
    const run = await world().running(alice);
    const outcome = {
      status: 'failed' as const,
      endedAtMs: T0 + 9,
      attempt: 3,
      error: RUN_ERROR,
      usage: { tokens: 4 },
    };
    const { admitted } = await runs.finish(
      alice,
      run.id,
      run.fence,
      outcome,
      [thinking('x'), terminalDraft('failed')],
      ROOMY,
    );
    expect(admitted).toEqual([]);
    expect(await runs.find(alice, run.id)).toEqual({ ...run, ...outcome });
    expect(await world().types(alice)).toEqual(['agent_started', 'agent_thinking', 'agent_error']);
    expect(await runs.lane(alice)).toMatchObject({ running: 0, queued: 0 });
  });

  it.each(['completed', 'degraded', 'failed', 'timed_out', 'cancelled'] as const)(
    'lets nothing follow a run that is %s',
    async (status) => {
      const { runs, journal } = world().ports;
      const run = await world().running(alice);
      await world().end(run, status);
      const before = await world().events(alice);
      for (const late of ['completed', 'cancelled'] as const) {
        await expect(world().end(run, late)).rejects.toMatchObject({ code: 'run_closed' });
      }
      await expect(journal.append(alice, run.id, run.fence, [thinking('late')])).rejects.toMatchObject({
        code: 'run_closed',
      });
      await expect(runs.requeue(alice, run.id, run.fence)).rejects.toMatchObject({ code: 'run_closed' });
      expect(await runs.claim(alice, run.id, opening)).toBeUndefined();
      expect(await runs.takeOver(alice, run.id, run.fence)).toBeUndefined();
      expect((await runs.find(alice, run.id))?.status).toBe(status);
      expect(await world().events(alice)).toEqual(before);
    },
  );

  it('gives the end to one of two that bring it at once', async () => {
    const run = await world().running(alice);
    const ends = await Promise.allSettled([world().end(run, 'cancelled'), world().end(run, 'completed')]);
    expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(await world().types(alice)).toEqual(['agent_started', 'agent_cancelled']);
    expect(await world().ports.runs.lane(alice)).toMatchObject({ running: 0 });
  });

  it('takes an end only with exactly one terminal event, the last, that says the same', async () => {
    const run = await world().running(alice);
    const wrong = [
      [],
      [thinking('no end')],
      [terminalDraft('failed')],
      [terminalDraft('completed'), thinking('after the end')],
      [terminalDraft('completed'), terminalDraft('completed')],
    ];
    for (const drafts of wrong) {
      const end = world().ports.runs.finish(alice, run.id, run.fence, outcomeOf('completed'), drafts, ROOMY);
      await expect(end).rejects.toMatchObject({ code: 'internal' });
    }
    expect(await world().types(alice)).toEqual(['agent_started']);
    await world().end(run);
  });

  it('lets a process write no more once another one has taken the run over', async () => {
    const { runs, journal } = world().ports;
    const zombie = await world().running(alice);
    const saved = await runs.takeOver(alice, zombie.id, zombie.fence);
    expect(saved).toEqual({ ...zombie, fence: zombie.fence + 1 });
    expect(await runs.find(alice, zombie.id)).toEqual(saved);
    const closed = { code: 'run_closed' };
    await expect(journal.append(alice, zombie.id, zombie.fence, [thinking('late')])).rejects.toMatchObject(closed);
    await expect(runs.requeue(alice, zombie.id, zombie.fence)).rejects.toMatchObject(closed);
    await expect(world().end(zombie)).rejects.toMatchObject(closed);
    await expect(world().end({ ...zombie, fence: 99 })).rejects.toMatchObject(closed);
    expect(await world().types(alice)).toEqual(['agent_started']);
    await world().end(saved!, 'failed');
    expect((await runs.find(alice, zombie.id))?.status).toBe('failed');
  });

  it('gives a run to one of the processes that have found it, also when that one has put it back and it runs again', async () => {
    const { runs } = world().ports;
    const found = await world().running(alice);
    const taken = await Promise.all([1, 2].map(() => runs.takeOver(alice, found.id, found.fence)));
    expect(taken.map((run) => run?.fence)).toEqual([found.fence + 1, undefined]);
    await runs.requeue(alice, found.id, found.fence + 1);
    const again = (await runs.claim(alice, found.id, opening))!;
    expect(await runs.takeOver(alice, found.id, found.fence)).toBeUndefined();
    await world().end(again);
  });

  it('takes over running runs of this user only', async () => {
    const { runs } = world().ports;
    const run = await world().running(alice);
    expect(await runs.takeOver(bob, run.id, run.fence)).toBeUndefined();
    const { run: queued } = await runs.submit(alice, newRun(), ROOMY);
    expect(await runs.takeOver(alice, queued.id, queued.fence)).toBeUndefined();
    expect(await runs.takeOver(alice, newId('run'), 1)).toBeUndefined();
  });

  it('puts a running run back with its place', async () => {
    const { runs } = world().ports;
    const run = await world().running(alice);
    await runs.requeue(alice, run.id, run.fence);
    expect(await runs.find(alice, run.id)).toEqual({ ...run, status: 'queued' });
    expect(await runs.lane(alice)).toMatchObject({ running: 1, queued: 0 });
    await expect(world().end(run)).rejects.toMatchObject({ code: 'run_closed' });
  });

  it("does not let bob touch alice's run, though he knows its id and fence", async () => {
    const { runs, journal } = world().ports;
    const run = await world().running(alice);
    await world().running(bob);
    const closed = { code: 'run_closed' };
    await expect(world().end({ ...run, userId: bob })).rejects.toMatchObject(closed);
    await expect(runs.requeue(bob, run.id, run.fence)).rejects.toMatchObject(closed);
    await expect(journal.append(bob, run.id, run.fence, [thinking('x')])).rejects.toMatchObject(closed);
    expect(await runs.find(alice, run.id)).toEqual(run);
  });
}

/** The part of `RunStore` that takes wishes to cancel. */
export function runCancelContract(openStorage: OpenStorage): void {
  const world = onEmptyStorage(openStorage);
  const cancel = (userId: UserId, runId: RunId, by: string = userId, limits = ROOMY) =>
    world().ports.runs.requestCancel(userId, runId, by, () => closing(by), limits);

  it('ends a run at once that is not running', async () => {
    const { runs } = world().ports;
    const { run } = await runs.submit(alice, newRun(), ROOMY);
    const request = await cancel(alice, run.id);
    expect(request).toMatchObject({ outcome: 'cancelled', admitted: [] });
    const ended = await runs.find(alice, run.id);
    expect(ended).toMatchObject({ status: 'cancelled', cancelRequestedBy: alice, endedAtMs: T0, attempt: 0 });
    expect('run' in request && request.run).toEqual(ended);
    expect(await world().types(alice)).toEqual(['agent_cancelled']);
    expect(await runs.lane(alice)).toMatchObject({ running: 0, queued: 0 });
    expect(await runs.claim(alice, run.id, opening)).toBeUndefined();
  });

  it('notes the wish for a run that is running, and who had it first', async () => {
    const { runs } = world().ports;
    const run = await world().running(alice);
    expect(await cancel(alice, run.id, 'first')).toMatchObject({ outcome: 'requested' });
    const request = await cancel(alice, run.id, 'second');
    expect(request).toEqual({ outcome: 'requested', run: { ...run, cancelRequestedBy: 'first' } });
    expect((await runs.find(alice, run.id))?.cancelRequestedBy).toBe('first');
    expect(await world().types(alice)).toEqual(['agent_started']);
    await world().end(run, 'cancelled');
    expect((await runs.find(alice, run.id))?.cancelRequestedBy).toBe('first');
  });

  it('says of running runs which are to be cancelled, for whoever has not heard of it', async () => {
    const { runs } = world().ports;
    const [hers, his, other] = [await world().running(alice), await world().running(bob), await world().running(alice)];
    const { run: queued } = await runs.submit(alice, newRun(), ROOMY);
    await cancel(alice, hers.id, 'somebody');
    await cancel(bob, his.id);
    const refs = [hers, his, other, queued].map(({ userId, id }) => ({ userId, runId: id }));
    expect(new Set(await runs.cancelWishes(refs))).toEqual(
      new Set([
        { userId: alice, runId: hers.id, by: 'somebody' },
        { userId: bob, runId: his.id, by: bob },
      ]),
    );
    expect(await runs.cancelWishes([{ userId: bob, runId: hers.id }])).toEqual([]);
    await world().end(hers, 'cancelled');
    expect(await runs.cancelWishes(refs)).toHaveLength(1);
    expect(await runs.cancelWishes([])).toEqual([]);
  });

  it('does nothing to a run that has ended', async () => {
    const run = await world().ended(alice);
    expect(await cancel(alice, run.id)).toEqual({ outcome: 'already_ended', run });
    expect(await world().ports.runs.find(alice, run.id)).toEqual(run);
  });

  it("does not find another user's run", async () => {
    const { run } = await world().ports.runs.submit(alice, newRun(), ROOMY);
    expect(await cancel(bob, run.id)).toEqual({ outcome: 'not_found' });
    expect(await cancel(bob, newId('run'))).toEqual({ outcome: 'not_found' });
    expect(await world().ports.runs.find(alice, run.id)).toEqual(run);
  });
}
