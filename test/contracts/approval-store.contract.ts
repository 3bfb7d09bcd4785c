import type { Decider } from '../../src/execution/approval-store.port.js';
import type { LaneLimits } from '../../src/execution/lane.js';
import type { RunRecord } from '../../src/execution/run-store.port.js';
import { newId, type ApprovalId, type UserId } from '../../src/shared/ids.js';
import { APPROVED, asking, EXPIRES_AT_MS, question, suspended } from './step-drafts.js';
import { alice, bob, newRun, onEmptyStorage, opening, ROOMY, T0, upTo, type OpenStorage } from './storage-world.js';

const byAlice: Decider = { userId: alice, roles: ['reader'] };
const byBob: Decider = { userId: bob, roles: ['reader'] };
const boss: Decider = { userId: 'carol' as UserId, roles: ['reader', 'boss'] };

/** What every adapter of `ApprovalStore` has to keep. */
export function approvalStoreContract(openStorage: OpenStorage): void {
  describe('find and list', () => approvalListContract(openStorage));
  describe('decide', () => decideContract(openStorage));
  describe('who may decide', () => deciderContract(openStorage));
}

/** A storage, and the short way to a run that asks. */
function askingWorld(openStorage: OpenStorage) {
  const world = onEmptyStorage(openStorage);
  const ask = async (run: RunRecord, over: Parameters<typeof question>[0] = {}, path = 'ask-1') => {
    const approval = question(over);
    await world().ports.journal.append(run.userId, run.id, run.fence, [asking(approval, path)]);
    return approval;
  };
  /** A run that waits for an answer. */
  const waiting = async (userId: UserId, over: Parameters<typeof question>[0] = {}, limits = ROOMY) => {
    const run = await world().running(userId, {}, limits);
    const approval = question(over);
    const { runs } = world().ports;
    const events = [asking(approval), suspended()];
    await runs.suspend(userId, run.id, run.fence, { approvals: [approval.id] }, events, limits);
    return { run, approval };
  };
  return { world, ask, waiting };
}

function approvalListContract(openStorage: OpenStorage): void {
  const { world, ask } = askingWorld(openStorage);
  const idsOf = async (decider: Decider, open = true) =>
    (await world().ports.approvals.list(decider, { open }, { limit: 50 })).items.map(({ id }) => id);

  it('keeps a question as it was asked, for its owner', async () => {
    const { approvals } = world().ports;
    const run = await world().running(alice);
    const asked = await ask(run, { kind: 'question', details: null, schema: { type: 'string' } }, 'a/2:ask');
    const { id: runId, threadId, agent } = run;
    const expected = { ...asked, userId: alice, runId, threadId, agent, step: 'a/2:ask', createdAtMs: T0 };
    expect(await approvals.find(byAlice, asked.id)).toEqual(expected);
    expect(await approvals.list(byAlice, { open: true }, { limit: 9 })).toEqual({ items: [expected] });
  });

  it('opens a question once, however often its step is recorded', async () => {
    const { journal, approvals, runs } = world().ports;
    const run = await world().running(alice);
    const first = await ask(run);
    await journal.append(alice, run.id, run.fence, [asking(question({ title: 'Another one?' }))]);
    expect(await idsOf(byAlice, false)).toEqual([first.id]);
    expect(await runs.steps(alice, run.id)).toMatchObject([{ approval: { id: first.id } }]);
    await approvals.decide(byAlice, first.id, APPROVED, ROOMY);
    await journal.append(alice, run.id, run.fence, [asking(first)]);
    expect(await approvals.find(byAlice, first.id)).toMatchObject({ decision: 'approved' });
  });

  it("keeps alice's questions from bob, exactly like ones that never existed", async () => {
    const { approvals } = world().ports;
    const hers = await ask(await world().running(alice));
    const his = await ask(await world().running(bob));
    expect(await approvals.find(byBob, hers.id)).toBeUndefined();
    expect(await approvals.find(byBob, newId('apr'))).toBeUndefined();
    expect(await idsOf(byBob)).toEqual([his.id]);
    expect(await idsOf(byBob, false)).toEqual([his.id]);
    expect(await idsOf({ userId: 'nobody' as UserId, roles: [] })).toEqual([]);
  });

  it('shows an open question to those whose role it names, and a decided one to its owner only', async () => {
    const { approvals } = world().ports;
    const run = await world().running(alice);
    const [mine, forBoss] = [await ask(run, {}, 'a'), await ask(run, { approvers: ['boss', 'cfo'] }, 'b')];
    const cfo: Decider = { userId: bob, roles: ['cfo', 'boss', 'boss'] };
    expect(await idsOf(byAlice)).toEqual([forBoss.id, mine.id]);
    for (const decider of [boss, cfo]) {
      expect(await idsOf(decider)).toEqual([forBoss.id]);
      expect(await approvals.find(decider, forBoss.id)).toMatchObject({ userId: alice });
      expect(await approvals.find(decider, mine.id)).toBeUndefined();
    }
    expect(await idsOf(byBob)).toEqual([]);
    await approvals.decide(boss, forBoss.id, APPROVED, ROOMY);
    expect(await approvals.find(boss, forBoss.id)).toBeUndefined();
    expect(await idsOf(boss, false)).toEqual([]);
    expect(await idsOf(byAlice)).toEqual([mine.id]);
    expect(await idsOf(byAlice, false)).toEqual([forBoss.id, mine.id]);
    expect(await approvals.find(byAlice, forBoss.id)).toMatchObject({ decision: 'approved', decidedBy: boss.userId });
  });

  it('lists what one run of the decider’s own asks', async () => {
    const { approvals } = world().ports;
    const [run, other] = [await world().running(alice), await world().running(alice)];
    const ids: ApprovalId[] = [];
    for (const path of ['b', 'a', 'c']) ids.unshift((await ask(run, { approvers: ['reader'] }, path)).id);
    await ask(other);
    await approvals.decide(byAlice, ids[1]!, APPROVED, ROOMY);
    const list = async (decider: Decider, open: boolean, page: { limit: number; cursor?: string }) => {
      const { items, nextCursor } = await approvals.list(decider, { open, runId: run.id }, page);
      return [items.map(({ id }) => id), nextCursor];
    };
    expect(await list(byAlice, false, { limit: 9 })).toEqual([ids, undefined]);
    expect(await list(byAlice, false, { limit: 2 })).toEqual([ids.slice(0, 2), ids[1]]);
    expect(await list(byAlice, false, { limit: 2, cursor: ids[1] })).toEqual([ids.slice(2), undefined]);
    expect(await list(byAlice, true, { limit: 9 })).toEqual([[ids[0], ids[2]], undefined]);
    expect(await list(byBob, false, { limit: 9 })).toEqual([[], undefined]);
  });

  it('says of a question whose time is over that it has expired, swept up or not', async () => {
    const { clock, ports } = world();
    const asked = await ask(await world().running(alice), { approvers: ['boss'] });
    clock.advance(EXPIRES_AT_MS - T0);
    const expired = { decision: 'expired', decidedAtMs: EXPIRES_AT_MS };
    expect(await ports.approvals.find(byAlice, asked.id)).toMatchObject(expired);
    expect(await ports.approvals.find(boss, asked.id)).toBeUndefined();
    expect([...(await idsOf(byAlice)), ...(await idsOf(boss))]).toEqual([]);
    expect(await idsOf(byAlice, false)).toEqual([asked.id]);
    await ports.runs.wake(clock.now(), 9, ROOMY);
    expect(await ports.approvals.find(byAlice, asked.id)).toMatchObject(expired);
  });

  it('lists newest first, in pages, own ones and those for a role together', async () => {
    const { approvals } = world().ports;
    const [hers, his] = [await world().running(alice), await world().running(bob)];
    const ids: ApprovalId[] = [];
    for (const i of upTo(4)) {
      ids.unshift((await ask(his, { approvers: ['reader'] }, `his-${i}`)).id);
      ids.unshift((await ask(hers, { approvers: i % 2 ? ['reader'] : [] }, `hers-${i}`)).id);
    }
    for (const limit of [1, 3, 8, 50]) {
      const seen: ApprovalId[] = [];
      for (let cursor: string | undefined; ;) {
        const page = await approvals.list(byAlice, { open: true }, { limit, cursor });
        expect(page.items.length).toBeLessThanOrEqual(limit);
        seen.push(...page.items.map(({ id }) => id));
        cursor = page.nextCursor;
        if (cursor === undefined) break;
      }
      expect(seen).toEqual(ids);
    }
  });
}

function decideContract(openStorage: OpenStorage): void {
  const { world, ask, waiting } = askingWorld(openStorage);

  it('decides: the question, the result of the step, the event and the way back in one go', async () => {
    const { clock, ports } = world();
    const { run, approval } = await waiting(alice);
    clock.advance(70);
    const decision = { decision: 'answered', answer: { text: 'ünï "quoted"' } } as const;
    const outcome = await ports.approvals.decide(byAlice, approval.id, decision, ROOMY);
    const found = await ports.approvals.find(byAlice, approval.id);
    const ref = { userId: alice, runId: run.id };
    expect(outcome).toEqual({ outcome: 'decided', approval: found, admitted: [ref], running: false });
    expect(found).toMatchObject({ ...decision, decidedBy: alice, decidedAtMs: T0 + 70 });
    expect(await ports.runs.steps(alice, run.id)).toMatchObject([
      { path: 'ask-1', state: 'ok', endedAtMs: T0 + 70, result: { ...decision, decidedBy: alice } },
    ]);
    const last = (await world().events(alice)).at(-1);
    expect(last).toMatchObject({ type: 'approval_resolved', runId: run.id, step: 'ask-1', attempt: 1 });
    expect(last?.data).toEqual({ approvalId: approval.id, decision: 'answered', by: alice });
    expect(await ports.runs.lane(alice)).toMatchObject({ running: 1, suspended: 0 });
    expect(await ports.runs.claim(alice, run.id, opening)).toMatchObject({
      resumed: true,
      attempt: 1,
      suspendedMs: 70,
    });
    expect(await ports.runs.nextDueMs()).toBeUndefined();
  });

  it('says that the run is still running when it is, and leaves it alone', async () => {
    const { runs, approvals } = world().ports;
    const run = await world().running(alice);
    const asked = await ask(run);
    const outcome = await approvals.decide(byAlice, asked.id, { decision: 'declined' }, ROOMY);
    expect(outcome).toMatchObject({ outcome: 'decided', admitted: [], running: true });
    expect(await runs.find(alice, run.id)).toEqual(run);
    expect(await runs.steps(alice, run.id)).toMatchObject([{ state: 'ok', result: { decision: 'declined' } }]);
    await world().end(run);
  });

  it('brings a run back with the first of several answers, and takes the others meanwhile', async () => {
    const { runs, approvals } = world().ports;
    const run = await world().running(alice);
    const [first, second] = [question(), question()];
    const events = [asking(first, 'a'), asking(second, 'b'), suspended()];
    await runs.suspend(alice, run.id, run.fence, { approvals: [first.id, second.id] }, events, ROOMY);
    expect(await approvals.decide(byAlice, second.id, APPROVED, ROOMY)).toMatchObject({
      admitted: [{ runId: run.id }],
    });
    const other = await approvals.decide(byAlice, first.id, { decision: 'rejected' }, ROOMY);
    expect(other).toMatchObject({ outcome: 'decided', admitted: [], running: false });
    expect((await runs.steps(alice, run.id)).map(({ state }) => state)).toEqual(['ok', 'ok']);
    expect(await runs.lane(alice)).toMatchObject({ running: 1, queued: 0, suspended: 0 });
  });

  it('takes one of two answers that come at once, and refuses every later one', async () => {
    const { approvals } = world().ports;
    const { approval } = await waiting(alice);
    const before = await world().types(alice);
    const outcomes = await Promise.all([
      approvals.decide(byAlice, approval.id, APPROVED, ROOMY),
      approvals.decide(byAlice, approval.id, { decision: 'rejected' }, ROOMY),
    ]);
    // several processes may decide: which of them comes first is not said
    expect(new Set(outcomes.map(({ outcome }) => outcome))).toEqual(new Set(['decided', 'closed']));
    expect(new Set(outcomes.map((one) => 'approval' in one && one.approval.decision)).size).toBe(1);
    expect(await approvals.decide(byAlice, approval.id, APPROVED, ROOMY)).toMatchObject({ outcome: 'closed' });
    expect(await world().types(alice)).toEqual([...before, 'approval_resolved']);
  });

  it('refuses an answer that comes too late, though nobody has swept up yet, and keeps the run asleep', async () => {
    const { clock, ports } = world();
    const { approval } = await waiting(alice);
    clock.advance(EXPIRES_AT_MS - T0 - 1);
    const other = await waiting(alice);
    clock.advance(1);
    const outcome = await ports.approvals.decide(byAlice, approval.id, APPROVED, ROOMY);
    expect(outcome).toMatchObject({ outcome: 'closed', approval: { decision: 'expired' } });
    expect(await ports.approvals.decide(byAlice, other.approval.id, APPROVED, ROOMY)).toMatchObject({
      outcome: 'closed',
    });
    expect(await ports.runs.lane(alice)).toMatchObject({ suspended: 2 });
    expect(await ports.runs.wake(clock.now(), 9, ROOMY)).toMatchObject({ admitted: [{}, {}] });
  });

  it('refuses an answer to a run that has ended', async () => {
    const run = await world().running(alice);
    const asked = await ask(run);
    await world().end(run);
    const outcome = await world().ports.approvals.decide(byAlice, asked.id, APPROVED, ROOMY);
    expect(outcome).toMatchObject({ outcome: 'closed', approval: { decision: 'withdrawn' } });
  });

  it('lets an answered run wait for a place when the lane of its owner is full', async () => {
    const { approvals } = world().ports;
    const one: LaneLimits = { ...ROOMY, maxRunning: 1 };
    const { run, approval } = await waiting(alice, {}, one);
    const running = await world().running(alice, {}, one);
    const outcome = await approvals.decide(byAlice, approval.id, APPROVED, one);
    expect(outcome).toMatchObject({ outcome: 'decided', admitted: [], running: false });
    expect(await world().end(running, 'completed', one)).toMatchObject({ admitted: [{ runId: run.id }] });
  });
}

function deciderContract(openStorage: OpenStorage): void {
  const { world, ask, waiting } = askingWorld(openStorage);

  it("does not let bob answer alice's question, exactly like one that never existed", async () => {
    const { approvals, runs } = world().ports;
    const { approval } = await waiting(alice);
    await waiting(bob);
    const before = await world().events(alice);
    for (const id of [approval.id, newId('apr')]) {
      expect(await approvals.decide(byBob, id, APPROVED, ROOMY)).toEqual({ outcome: 'not_found' });
    }
    expect(await approvals.decide(boss, approval.id, APPROVED, ROOMY)).toEqual({ outcome: 'not_found' });
    expect(await world().events(alice)).toEqual(before);
    expect(await runs.lane(alice)).toMatchObject({ suspended: 1 });
  });

  it('lets somebody with a named role decide, and brings the run back into its owner’s lane', async () => {
    const { runs, approvals } = world().ports;
    const { run, approval } = await waiting(alice, { approvers: ['boss'] });
    await runs.submit(boss.userId, newRun(), ROOMY);
    const before = await runs.lane(boss.userId);
    expect(await approvals.decide(byBob, approval.id, APPROVED, ROOMY)).toEqual({ outcome: 'not_found' });
    const outcome = await approvals.decide(boss, approval.id, APPROVED, ROOMY);
    expect(outcome).toMatchObject({ outcome: 'decided', admitted: [{ userId: alice, runId: run.id }] });
    expect((await world().events(alice)).at(-1)?.data).toMatchObject({ by: boss.userId });
    expect(await world().events(boss.userId)).toEqual([]);
    expect(await runs.lane(boss.userId)).toEqual(before);
  });

  it('forbids the owner to decide what is for others, until the owner has the role', async () => {
    const { approvals } = world().ports;
    const asked = await ask(await world().running(alice), { approvers: ['boss'] });
    const refused = await approvals.decide(byAlice, asked.id, APPROVED, ROOMY);
    expect(refused).toMatchObject({ outcome: 'forbidden', approval: { id: asked.id } });
    expect(await approvals.find(byAlice, asked.id)).not.toHaveProperty('decision');
    const promoted = { ...byAlice, roles: ['boss'] };
    expect(await approvals.decide(promoted, asked.id, APPROVED, ROOMY)).toMatchObject({ outcome: 'decided' });
  });

  it('tells the second of two approvers that it is closed', async () => {
    const { approvals } = world().ports;
    const asked = await ask(await world().running(alice), { approvers: ['boss'] });
    await approvals.decide(boss, asked.id, APPROVED, ROOMY);
    const other = { userId: bob, roles: ['boss'] };
    expect(await approvals.decide(other, asked.id, APPROVED, ROOMY)).toMatchObject({ outcome: 'closed' });
  });
}
