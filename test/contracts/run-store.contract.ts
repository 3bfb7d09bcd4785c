import type { LaneLimits } from '../../src/execution/lane.js';
import type { NewRun } from '../../src/execution/run-store.port.js';
import { newId, type ThreadId, type UserId } from '../../src/shared/ids.js';
import { expectLanesToHold } from './lane-history.js';
import { runEndContract, runCancelContract } from './run-end.contract.js';
import { runLaneContract } from './run-lane.contract.js';
import { runDelayContract } from './run-delay.contract.js';
import { runListContract } from './run-list.contract.js';
import { runRetryContract, runStepsContract } from './run-steps.contract.js';
import { runSuspensionContract } from './run-suspension.contract.js';
import { runThreadContract } from './run-thread.contract.js';
import { runWakeContract } from './run-wake.contract.js';
import {
  alice,
  bob,
  closing,
  newRun,
  onEmptyStorage,
  opening,
  ROOMY,
  T0,
  terminalDraft,
  type OpenStorage,
} from './storage-world.js';

const thread = (id: string) => id as ThreadId;
const keyed = (fingerprint = 'f'): NewRun => newRun({ idempotency: { key: 'key-1', fingerprint } });

function noOpening(): never {
  throw new TypeError('no opening');
}

/** What every adapter of `RunStore` has to keep. */
export function runStoreContract(openStorage: OpenStorage): void {
  describe('submit and find', () => submitContract(openStorage));
  describe('idempotency keys', () => idempotencyContract(openStorage));
  describe('claim', () => claimContract(openStorage));
  describe('finish, requeue and take over', () => runEndContract(openStorage));
  describe('cancel', () => runCancelContract(openStorage));
  describe('lists', () => runListContract(openStorage));
  describe('lanes', () => runLaneContract(openStorage));
  describe('threads', () => runThreadContract(openStorage));
  describe('delay and priority', () => runDelayContract(openStorage));
  describe('steps', () => runStepsContract(openStorage));
  describe('retries', () => runRetryContract(openStorage));
  describe('suspension', () => runSuspensionContract(openStorage));
  describe('wake', () => runWakeContract(openStorage));

  it('keeps places, numbers and ends whole through random histories of three users', async () => {
    await expectLanesToHold(openStorage, 60);
  });
}

function submitContract(openStorage: OpenStorage): void {
  const world = onEmptyStorage(openStorage);

  it('records a run as it was asked for', async () => {
    const { runs } = world().ports;
    const asked = newRun({ input: { text: 'ünï "quoted" \u0000 \n', list: [1, null, true] } });
    const submitted = await runs.submit(alice, asked, ROOMY);
    expect(submitted).toMatchObject({ admitted: true, replayed: false });
    const { idempotency: _, placeInLine: __, ...kept } = asked;
    expect(submitted.run).toEqual({
      ...kept,
      userId: alice,
      status: 'queued',
      priority: 0,
      attempt: 0,
      fence: 0,
      suspendedMs: 0,
    });
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

  it('claims an admitted run in the same transaction when it is given an opening', async () => {
    const { runs } = world().ports;
    const { run, claimed, admitted } = await runs.submit(alice, newRun({ opening }), ROOMY);
    expect({ claimed, admitted }).toEqual({ claimed: true, admitted: true });
    expect(run).toMatchObject({ status: 'running', attempt: 1, fence: 1, startedAtMs: run.createdAtMs });
    expect(await runs.find(alice, run.id)).toEqual(run);
    expect((await world().events(alice)).map(({ type }) => type)).toEqual(['agent_started']);
    expect(await runs.claim(alice, run.id, opening)).toBeUndefined();
  });

  it('lets a run wait that finds no place, whether it is given an opening or not', async () => {
    const { runs } = world().ports;
    const full = { ...ROOMY, maxRunning: 1 };
    await runs.submit(alice, newRun({ opening }), full);
    const { run, claimed, admitted } = await runs.submit(alice, newRun({ opening }), full);
    expect({ claimed, admitted, status: run.status }).toEqual({ claimed: false, admitted: false, status: 'queued' });
    const bobs = await runs.submit(bob, newRun({ opening }), full);
    expect(bobs.claimed).toBe(true);
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
    const tight: LaneLimits = { maxRunning: 1, maxQueued: 0, startsPerMinute: 1, maxSuspended: 0 };
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
    const record = { ...run, status: 'running', attempt: 1, fence: 1, startedAtMs: T0 + 5 };
    expect(claimed).toEqual({ ...record, resumed: false, hasSteps: false });
    expect(await ports.runs.find(alice, run.id)).toEqual(record);
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
    await expect(runs.claim(alice, run.id, noOpening)).rejects.toThrow('no opening');
    await expect(runs.claim(alice, run.id, () => terminalDraft('failed'))).rejects.toMatchObject({ code: 'internal' });
    expect(await runs.find(alice, run.id)).toEqual(run);
    expect(await world().events(alice)).toEqual([]);
    expect(await runs.claim(alice, run.id, opening)).toMatchObject({ attempt: 1, fence: 1 });
  });
}
