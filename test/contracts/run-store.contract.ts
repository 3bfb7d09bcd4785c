import type { LaneLimits, NewRun } from '../../src/execution/run-store.port.js';
import { newId, type RunId, type ThreadId, type UserId } from '../../src/shared/ids.js';
import { runLaneContract } from './run-lane.contract.js';
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

const thread = (id: string) => id as ThreadId;

/** What every adapter of `RunStore` has to keep. */
export function runStoreContract(openStorage: OpenStorage): void {
  describe('submit and find', () => submitContract(openStorage));
  describe('idempotency keys', () => idempotencyContract(openStorage));
  describe('claim', () => claimContract(openStorage));
  describe('finish, requeue and take over', () => fenceContract(openStorage));
  describe('cancel', () => cancelContract(openStorage));
  describe('lists', () => listContract(openStorage));
  describe('lanes', () => runLaneContract(openStorage));
}

function submitContract(openStorage: OpenStorage): void {
  const world = onEmptyStorage(openStorage);

  it('records a run as it was asked for', async () => {
    const { runs } = world().ports;
    const asked = newRun({ input: { text: 'ünï "quoted" \u0000 \n', list: [1, null, true] } });
    const submitted = await runs.submit(alice, asked, ROOMY);
    expect(submitted).toMatchObject({ admitted: true, replayed: false });
    const { idempotency: _, placeInLine: __, ...kept } = asked;
    expect(submitted.run).toEqual({ ...kept, userId: alice, status: 'queued', attempt: 0, fence: 0 });
    expect(await runs.find(alice, asked.id)).toEqual(submitted.run);
  });

  it("does not find another user's run, exactly like one that never existed", async () => {
    const { runs } = world().ports;
    const { run } = await runs.submit(alice, newRun(), ROOMY);
    expect(await runs.find(bob, run.id)).toBeUndefined();
    await runs.submit(bob, newRun(), ROOMY);
    expect(await runs.find(bob, run.id)).toBeUndefined();
    expect(await runs.find(bob, newId('run'))).toBeUndefined();
  });

  it('keeps the runs of alice and bob apart even when everything about them is the same', async () => {
    const { runs } = world().ports;
    const same = newRun({ idempotency: { key: 'k', fingerprint: 'f' } });
    await runs.submit(alice, { ...same, input: 'for alice' }, ROOMY);
    const second = await runs.submit(bob, { ...same, input: 'for bob' }, ROOMY);
    expect(second.replayed).toBe(false);
    expect((await runs.find(alice, same.id))?.input).toBe('for alice');
    expect((await runs.find(bob, same.id))?.input).toBe('for bob');
    await runs.requestCancel(bob, same.id, 'bob', () => closing('bob'), ROOMY);
    expect((await runs.find(alice, same.id))?.status).toBe('queued');
  });

  it('tells users apart whose ids differ in case or form only', async () => {
    const { runs } = world().ports;
    const { run } = await runs.submit('Amélie' as UserId, newRun(), ROOMY);
    for (const other of ['amélie', 'Amélie'.normalize('NFD'), 'Amélie%', 'Amélie*']) {
      expect(await runs.find(other as UserId, run.id)).toBeUndefined();
    }
  });

  it('makes the thread of a run when the user has none of that id, and no second one', async () => {
    const { runs, threads } = world().ports;
    await runs.submit(alice, newRun({ threadId: thread('t') }), ROOMY);
    await runs.submit(alice, newRun({ threadId: thread('t') }), ROOMY);
    expect(await threads.find(alice, thread('t'))).toEqual({ id: 't', userId: alice, metadata: {}, createdAtMs: T0 });
    expect((await threads.list(alice, { limit: 10 })).items).toHaveLength(1);
    expect(await threads.find(bob, thread('t'))).toBeUndefined();
  });

  it('says nothing to a run that is admitted while there are free slots', async () => {
    await world().ports.runs.submit(alice, newRun(), ROOMY);
    expect(await world().events(alice)).toEqual([]);
  });

  it('tells an admitted run that the server is busy when others are ahead of it', async () => {
    const { run } = await world().ports.runs.submit(alice, newRun({ placeInLine: 5 }), ROOMY);
    expect(await world().events(alice)).toMatchObject([
      { type: 'agent_queued', runId: run.id, attempt: 0, data: { position: 5, reason: 'server_busy' } },
    ]);
  });
}

function idempotencyContract(openStorage: OpenStorage): void {
  const world = onEmptyStorage(openStorage);
  const keyed = (fingerprint = 'f'): NewRun => newRun({ idempotency: { key: 'key-1', fingerprint } });

  it('answers the same key and request with the run as it is now, and changes nothing', async () => {
    const { runs } = world().ports;
    const first = await runs.submit(alice, keyed(), ROOMY);
    await runs.claim(alice, first.run.id, opening);
    const before = await runs.lane(alice);
    const again = await runs.submit(alice, keyed(), ROOMY);
    expect(again).toMatchObject({ admitted: false, replayed: true, run: { id: first.run.id, status: 'running' } });
    expect(again.run).toEqual(await runs.find(alice, first.run.id));
    expect(await runs.lane(alice)).toEqual(before);
    expect((await runs.list(alice, {}, { limit: 10 })).items).toHaveLength(1);
  });

  it('answers with the ended run when it has ended', async () => {
    const { runs } = world().ports;
    const { run } = await runs.submit(alice, keyed(), ROOMY);
    const claimed = await runs.claim(alice, run.id, opening);
    await world().end(claimed!);
    const again = await runs.submit(alice, keyed(), ROOMY);
    expect(again).toMatchObject({ replayed: true, run: { status: 'completed', result: { ok: true } } });
  });

  it('refuses the same key for another request', async () => {
    const { runs } = world().ports;
    await runs.submit(alice, keyed('f'), ROOMY);
    await expect(runs.submit(alice, keyed('g'), ROOMY)).rejects.toMatchObject({ code: 'idempotency_conflict' });
    expect(await runs.lane(alice)).toMatchObject({ running: 1, queued: 0, starts: 1 });
  });

  it("gives bob a run of his own for alice's key, whatever he asks for", async () => {
    const { runs } = world().ports;
    const first = await runs.submit(alice, keyed('f'), ROOMY);
    const other = await runs.submit(bob, keyed('g'), ROOMY);
    expect(other).toMatchObject({ replayed: false, admitted: true });
    expect(other.run.id).not.toBe(first.run.id);
  });

  it('makes one run of twenty requests with one key that come at once', async () => {
    const { runs } = world().ports;
    const all = await Promise.all(Array.from({ length: 20 }, () => runs.submit(alice, keyed(), ROOMY)));
    expect(new Set(all.map(({ run }) => run.id)).size).toBe(1);
    expect(all.filter(({ replayed }) => !replayed)).toHaveLength(1);
  });

  it('answers a repetition even when the user may start nothing more', async () => {
    const { runs } = world().ports;
    const tight: LaneLimits = { maxRunning: 1, maxQueued: 0, startsPerMinute: 1 };
    await runs.submit(alice, keyed(), tight);
    expect(await runs.submit(alice, keyed(), tight)).toMatchObject({ replayed: true });
  });

  it('keeps a key for a day, and no longer than retention needs', async () => {
    const { clock, ports } = world();
    const day = 24 * 60 * 60 * 1_000;
    const first = await ports.runs.submit(alice, keyed(), ROOMY);
    clock.advance(day);
    await ports.journal.prune(new Date(0), 10);
    expect(await ports.runs.submit(alice, keyed(), ROOMY)).toMatchObject({ replayed: true });
    clock.advance(1);
    expect(await ports.journal.prune(new Date(0), 10)).toBe(1);
    const later = await ports.runs.submit(alice, keyed(), ROOMY);
    expect(later.replayed).toBe(false);
    expect(later.run.id).not.toBe(first.run.id);
  });
}

function claimContract(openStorage: OpenStorage): void {
  const world = onEmptyStorage(openStorage);

  it('makes an admitted run running, with attempt, fence, start and its opening event', async () => {
    const { clock, ports } = world();
    const { run } = await ports.runs.submit(alice, newRun(), ROOMY);
    clock.advance(5);
    const claimed = await ports.runs.claim(alice, run.id, opening);
    expect(claimed).toEqual({ ...run, status: 'running', attempt: 1, fence: 1, startedAtMs: T0 + 5 });
    expect(await ports.runs.find(alice, run.id)).toEqual(claimed);
    expect(await world().events(alice)).toMatchObject([{ type: 'agent_started', seq: 1, runSeq: 1, attempt: 1 }]);
  });

  it('gives a run to one of two that ask at once', async () => {
    const { runs } = world().ports;
    const { run } = await runs.submit(alice, newRun(), ROOMY);
    const claims = await Promise.all([runs.claim(alice, run.id, opening), runs.claim(alice, run.id, opening)]);
    expect(claims.filter(Boolean)).toHaveLength(1);
    expect(await world().types(alice)).toEqual(['agent_started']);
  });

  it('gives nothing for a run that waits, has ended, is not there, or is another user’s', async () => {
    const { runs } = world().ports;
    const one: LaneLimits = { ...ROOMY, maxRunning: 1 };
    const first = await world().running(alice, {}, one);
    const { run: waits } = await runs.submit(alice, newRun(), one);
    expect(await runs.claim(alice, waits.id, opening)).toBeUndefined();
    expect(await runs.claim(bob, waits.id, opening)).toBeUndefined();
    expect(await runs.claim(alice, newId('run'), opening)).toBeUndefined();
    await world().end(first, 'completed', { ...one, maxRunning: 0 });
    expect(await runs.claim(alice, first.id, opening)).toBeUndefined();
    const { run: admitted } = await runs.submit(bob, newRun(), ROOMY);
    expect(await runs.claim(alice, admitted.id, opening)).toBeUndefined();
  });

  it('keeps the first start, and counts attempts and fence on, when a run was put back', async () => {
    const { clock, ports } = world();
    const first = await world().running(alice);
    await ports.runs.requeue(alice, first.id, first.fence);
    clock.advance(1_000);
    const second = await ports.runs.claim(alice, first.id, opening);
    expect(second).toMatchObject({ attempt: 2, fence: 2, startedAtMs: first.startedAtMs });
  });

  it('writes nothing when the opening event can’t be made', async () => {
    const { runs } = world().ports;
    const { run } = await runs.submit(alice, newRun(), ROOMY);
    const failing = () => {
      throw new TypeError('no opening');
    };
    await expect(runs.claim(alice, run.id, failing)).rejects.toThrow('no opening');
    await expect(runs.claim(alice, run.id, () => terminalDraft('failed'))).rejects.toMatchObject({ code: 'internal' });
    expect(await runs.find(alice, run.id)).toEqual(run);
    expect(await world().events(alice)).toEqual([]);
    expect(await runs.claim(alice, run.id, opening)).toMatchObject({ attempt: 1, fence: 1 });
  });
}

function fenceContract(openStorage: OpenStorage): void {
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
      expect(await runs.takeOver(alice, run.id)).toBeUndefined();
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
    const saved = await runs.takeOver(alice, zombie.id);
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

  it('takes over running runs of this user only', async () => {
    const { runs } = world().ports;
    const run = await world().running(alice);
    expect(await runs.takeOver(bob, run.id)).toBeUndefined();
    const { run: queued } = await runs.submit(alice, newRun(), ROOMY);
    expect(await runs.takeOver(alice, queued.id)).toBeUndefined();
    expect(await runs.takeOver(alice, newId('run'))).toBeUndefined();
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

function cancelContract(openStorage: OpenStorage): void {
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

function listContract(openStorage: OpenStorage): void {
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
    for (let i = 0; i < 3; i++) {
      const threadId = thread(`t${i % 2}`);
      ids.queued!.unshift((await world().ports.runs.submit(alice, newRun({ threadId }), ROOMY)).run.id);
      ids.running!.unshift((await world().running(alice, { threadId })).id);
      for (const status of ['completed', 'failed', 'cancelled'] as const) {
        ids[status]!.unshift((await world().ended(alice, { threadId }, status)).id);
        await world().ended(bob, { threadId }, status);
      }
    }
    for (const [status, expected] of Object.entries(ids)) {
      expect(await pages(alice, { status }, 2)).toEqual(expected);
      expect(await pages(alice, { status, threadId: thread('t0') }, 1)).toEqual([expected[0], expected[2]]);
      expect(await pages(alice, { status, threadId: thread('t1') }, 9)).toEqual([expected[1]]);
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
      { userId: alice, runId: running.id, status: 'running' },
      { userId: bob, runId: queued.id, status: 'queued' },
      { userId: alice, runId: other.id, status: 'queued' },
    ];
    expect(await runs.unfinished(undefined, 10)).toEqual(expected);
    expect(await runs.unfinished(undefined, 2)).toEqual(expected.slice(0, 2));
    expect(await runs.unfinished(queued.id, 2)).toEqual(expected.slice(2));
  });
}
