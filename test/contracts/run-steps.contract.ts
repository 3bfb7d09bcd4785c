import { newId } from '../../src/shared/ids.js';
import { asking, okStep, question, recorded, stepRecord } from './step-drafts.js';
import {
  alice,
  bob,
  newRun,
  onEmptyStorage,
  opening,
  outcomeOf,
  recordOf,
  ROOMY,
  RUN_ERROR,
  terminalDraft,
  thinking,
  type OpenStorage,
} from './storage-world.js';

/** What is kept of a run's steps, and who may have them again. */
export function runStepsContract(openStorage: OpenStorage): void {
  const world = onEmptyStorage(openStorage);

  it('keeps a step as the event that tells of it says, whole', async () => {
    const { runs, journal } = world().ports;
    const run = await world().running(alice);
    const approval = question();
    const records = [
      okStep('1:fetch', { result: { list: [1, null, 'ünï "quoted" \u0000'] } }),
      okStep('2:nothing', { result: undefined }),
      okStep('3:null', { result: null, degraded: true }),
      stepRecord('4:broken', { state: 'failed', effect: 'once', attempts: 3, endedAtMs: 9, error: RUN_ERROR }),
      stepRecord('5:left-out', { kind: 'agent', state: 'skipped', attempts: 0, endedAtMs: 9, reason: 'not wanted' }),
      stepRecord('6:slept', { kind: 'sleep', state: 'waiting', untilMs: 77 }),
    ];
    await journal.append(alice, run.id, run.fence, [
      ...records.map((record) => recorded(record)),
      asking(approval, '7:ask'),
    ]);
    const kept = await runs.steps(alice, run.id);
    expect(kept.slice(0, -1)).toEqual(JSON.parse(JSON.stringify(records)));
    expect(kept.at(-1)).toMatchObject({ path: '7:ask', kind: 'ask', state: 'started', approval });
    expect(await world().types(alice, run.id)).toHaveLength(8);
  });

  it('keeps the last record of a path, at the place of the first one', async () => {
    const { runs, journal } = world().ports;
    const run = await world().running(alice);
    const { id, fence } = run;
    await journal.append(alice, id, fence, [recorded(stepRecord('b')), recorded(stepRecord('a'))]);
    await journal.append(alice, id, fence, [recorded(okStep('b', { attempts: 2, result: 'done' }))]);
    await journal.append(alice, id, fence, [recorded(stepRecord('c')), thinking('no step')]);
    const steps = await runs.steps(alice, id);
    expect(steps.map(({ path, state, attempts }) => [path, state, attempts])).toEqual([
      ['b', 'ok', 2],
      ['a', 'started', 1],
      ['c', 'started', 1],
    ]);
  });

  it('keeps all the steps that one event tells of, in their order', async () => {
    const { runs, journal } = world().ports;
    const run = await world().running(alice);
    const records = ['z', 'b', 'm', 'a'].map((path) => okStep(path));
    await journal.append(alice, run.id, run.fence, [{ ...thinking('all at once'), records }, recorded(okStep('c'))]);
    expect((await runs.steps(alice, run.id)).map(({ path }) => path)).toEqual(['z', 'b', 'm', 'a', 'c']);
  });

  it('keeps what the events of the end record', async () => {
    const { runs } = world().ports;
    const { id, fence } = await world().running(alice);
    const drafts = [recorded(okStep('last')), terminalDraft('completed')];
    await runs.finish(alice, id, fence, outcomeOf('completed'), drafts, ROOMY);
    expect(await runs.steps(alice, id)).toEqual([okStep('last')]);
  });

  it('keeps nothing of what is refused', async () => {
    const { runs, journal } = world().ports;
    const run = await world().running(alice);
    const late = journal.append(alice, run.id, run.fence + 1, [recorded(okStep('a'))]);
    await expect(late).rejects.toMatchObject({ code: 'run_closed' });
    await world().end(run);
    await expect(journal.append(alice, run.id, run.fence, [recorded(okStep('a'))])).rejects.toThrow();
    expect(await runs.steps(alice, run.id)).toEqual([]);
  });

  it("keeps alice's steps from bob, though his run has the same id and the same paths", async () => {
    const { runs, journal } = world().ports;
    const id = newId('run');
    const [hers, his] = [await world().running(alice, { id }), await world().running(bob, { id })];
    await journal.append(alice, id, hers.fence, [recorded(okStep('a', { result: 'of alice' }))]);
    await journal.append(bob, id, his.fence, [recorded(okStep('a', { result: 'of bob' }))]);
    expect(await runs.steps(alice, id)).toMatchObject([{ result: 'of alice' }]);
    expect(await runs.steps(bob, id)).toMatchObject([{ result: 'of bob' }]);
    const other = await world().running(alice);
    await journal.append(alice, other.id, other.fence, [recorded(okStep('a'))]);
    expect(await runs.steps(bob, other.id)).toEqual([]);
    expect(await runs.steps(alice, newId('run'))).toEqual([]);
  });

  it('says at the claim that a run may have steps when it was interrupted', async () => {
    const { runs, journal } = world().ports;
    const { id, fence } = await world().running(alice);
    await journal.append(alice, id, fence, [recorded(okStep('a'))]);
    await runs.requeue(alice, id, fence);
    const again = await runs.claim(alice, id, opening);
    expect(again).toMatchObject({ attempt: 2, resumed: false, hasSteps: true });
    expect(await runs.steps(alice, id)).toEqual([okStep('a')]);
  });
}

/** Runs that try another one again. */
export function runRetryContract(openStorage: OpenStorage): void {
  const world = onEmptyStorage(openStorage);

  async function failedWithSteps(userId = alice) {
    const { runs, journal } = world().ports;
    const run = await world().running(userId);
    const records = [okStep('b'), stepRecord('x', { state: 'failed', error: RUN_ERROR }), okStep('a'), stepRecord('y')];
    await journal.append(
      userId,
      run.id,
      run.fence,
      records.map((record) => recorded(record)),
    );
    await world().end(run, 'failed');
    return (await runs.find(userId, run.id))!;
  }

  it('gives the new run the finished steps of the old one, in their order, and leaves those alone', async () => {
    const { runs, journal } = world().ports;
    const old = await failedWithSteps();
    const before = await runs.steps(alice, old.id);
    const { run } = await runs.submit(alice, newRun({ retryOf: old.id, reuseSteps: true }), ROOMY);
    expect(run).toMatchObject({ retryOf: old.id, status: 'queued', attempt: 0 });
    const claimed = await runs.claim(alice, run.id, opening);
    expect(claimed).toMatchObject({ attempt: 1, resumed: false, hasSteps: true });
    expect(await runs.steps(alice, run.id)).toEqual([okStep('b'), okStep('a')]);
    await journal.append(alice, run.id, claimed!.fence, [
      recorded(okStep('a', { result: 'anew' })),
      recorded(okStep('c')),
    ]);
    expect((await runs.steps(alice, run.id)).map(({ path }) => path)).toEqual(['b', 'a', 'c']);
    expect(await runs.steps(alice, old.id)).toEqual(before);
    expect(await runs.find(alice, run.id)).toEqual(recordOf({ ...claimed! }));
  });

  it('gives no steps when none are asked for', async () => {
    const { runs } = world().ports;
    const old = await failedWithSteps();
    const { run } = await runs.submit(alice, newRun({ retryOf: old.id }), ROOMY);
    expect(await runs.claim(alice, run.id, opening)).toMatchObject({ retryOf: old.id, hasSteps: false });
    expect(await runs.steps(alice, run.id)).toEqual([]);
  });

  it("reuses neither another user's steps nor those of a run that has not ended, and stores nothing then", async () => {
    const { runs } = world().ports;
    const hers = await failedWithSteps();
    const again = (retryOf?: typeof hers.id) => newRun({ retryOf, reuseSteps: true });
    for (const retryOf of [hers.id, newId('run'), undefined]) {
      await expect(runs.submit(bob, again(retryOf), ROOMY)).rejects.toMatchObject({ code: 'not_found' });
    }
    const live = await world().running(bob);
    await expect(runs.submit(bob, again(live.id), ROOMY)).rejects.toMatchObject({ code: 'run_not_ended' });
    expect((await runs.list(bob, {}, { limit: 9 })).items).toEqual([live]);
    expect(await runs.lane(bob)).toMatchObject({ running: 1, queued: 0, starts: 1 });
  });
}
