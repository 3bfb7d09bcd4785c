import { Logger } from '@nestjs/common';
import type { ApprovalResponse } from '../../src/execution/approval-response.js';
import type { ApprovalId, RunId, UserId } from '../../src/shared/ids.js';
import { newId } from '../../src/shared/ids.js';
import { alice, bob } from '../contracts/storage-world.js';
import { ServicesWorld } from './services-world.js';

const carol = 'carol' as UserId;
const APPROVE: ApprovalResponse = { decision: 'approve' };

describe('what runs ask', () => {
  let world: ServicesWorld;

  beforeEach(async () => {
    world = await ServicesWorld.open({ env: { CARREL_USER_MAX_RUNNING: '1' } });
  });

  afterEach(() => world[Symbol.asyncDispose]());

  async function start(user = alice): Promise<RunId> {
    const { run } = await world.execution.submit(world.as(user), { agent: 'echo', input: {} });
    await world.settled();
    return run.id;
  }

  const respond = (user: UserId, id: ApprovalId, response = APPROVE, roles: string[] = []) =>
    world.approvals.respond(world.as(user, roles), id, response);
  const find = (user: UserId, id: ApprovalId, roles: string[] = []) => world.approvals.find(world.as(user, roles), id);
  const list = async (user: UserId, open: boolean, roles: string[] = []) => {
    const { items } = await world.approvals.list(world.as(user, roles), { open }, { limit: 10 });
    return items.map(({ id }) => id);
  };
  const statusOf = async (runId: RunId, user = alice) => (await world.execution.find(world.as(user), runId)).status;
  const answersOf = async (runId: RunId) => {
    const steps = await world.storage.runs.steps(alice, runId);
    return steps.map(({ state, result }) => ({ state, result }));
  };

  it('is answered by the owner; the run goes on, with the answer as the result of its step', async () => {
    const runId = await start();
    const { id } = await world.suspend(runId, { kind: 'question', schema: { type: 'object', required: ['a'] } });
    expect(await list(alice, true)).toEqual([id]);
    const decided = await respond(alice, id, { decision: 'answer', answer: { a: 1 }, hash: 'hash-1' });
    expect(decided).toMatchObject({ id, decision: 'answered', answer: { a: 1 }, decidedBy: alice });
    await world.settled();
    expect(world.begun).toEqual([runId, runId]);
    expect(world.consumer.claimed(runId)).toMatchObject({ resumed: true, hasSteps: true });
    expect(await answersOf(runId)).toEqual([
      { state: 'ok', result: { decision: 'answered', answer: { a: 1 }, decidedBy: alice } },
    ]);
    expect([await list(alice, true), await list(alice, false)]).toEqual([[], [id]]);
  });

  it('may be answered before the run is suspended: whoever carries it out is told', async () => {
    const runId = await start();
    const [hers, anybodys] = [await world.ask(runId), await world.ask(runId, { approvers: ['manager'] })];
    await respond(alice, hers.id);
    await respond(bob, anybodys.id, APPROVE, ['manager']);
    expect(world.consumer.told).toEqual(Array(2).fill(`answered alice's ${runId}`));
    expect(await statusOf(runId)).toBe('running');
  });

  it('keeps what alice is asked from bob', async () => {
    const { id } = await world.suspend(await start());
    expect([await list(bob, true), await list(bob, false)]).toEqual([[], []]);
    await expect(find(bob, id)).rejects.toMatchObject({ code: 'not_found' });
    await expect(respond(bob, id)).rejects.toMatchObject({ code: 'not_found' });
    await expect(find(bob, newId('apr'))).rejects.toMatchObject({
      code: 'not_found',
      message: 'there is no such question',
    });
    await expect(find(bob, id)).rejects.toMatchObject({ code: 'not_found', message: 'there is no such question' });
    expect(await find(alice, id)).not.toHaveProperty('decision');
  });

  it('is answered once, when two devices answer at once', async () => {
    const runId = await start();
    const { id } = await world.suspend(runId);
    const answers = await Promise.allSettled([respond(alice, id), respond(alice, id, { decision: 'reject' })]);
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(answers[1]).toMatchObject({
      reason: {
        code: 'approval_closed',
        message: expect.stringContaining('it was approved, at 2026-01-15T12:00:00.000Z'),
      },
    });
    await expect(respond(alice, id)).rejects.toMatchObject({
      code: 'approval_closed',
      details: { decision: 'approved', at: '2026-01-15T12:00:00.000Z' },
    });
    await world.settled();
    expect(world.begun).toEqual([runId, runId]);
    expect(await answersOf(runId)).toEqual([{ state: 'ok', result: { decision: 'approved', decidedBy: alice } }]);
  });

  it('of a role is answered by whoever has it, whoever owns the run, and by nobody else', async () => {
    const runId = await start();
    const { id } = await world.suspend(runId, { approvers: ['manager', 'auditor'] });
    await expect(respond(alice, id)).rejects.toMatchObject({
      code: 'forbidden',
      message: expect.stringContaining('manager, auditor'),
    });
    await expect(respond(carol, id, APPROVE, ['clerk'])).rejects.toMatchObject({ code: 'not_found' });
    expect(await list(bob, true, ['auditor'])).toEqual([id]);
    expect(await respond(bob, id, APPROVE, ['auditor'])).toMatchObject({ decision: 'approved', decidedBy: bob });
    await world.settled();
    expect(world.begun).toEqual([runId, runId]);
    expect(world.consumer.claimed(runId).userId).toBe(alice);
    await expect(find(bob, id, ['auditor'])).rejects.toMatchObject({ code: 'not_found' }); // it is alice's affair again
  });

  it('is refused an answer that does not fit, or that is to something else, and stays open', async () => {
    const runId = await start();
    const { id } = await world.suspend(runId, { schema: { type: 'object', required: ['amount'] } });
    const refusals: [ApprovalResponse, object][] = [
      [{ decision: 'answer', answer: 1 }, { code: 'invalid_answer' }],
      [APPROVE, { code: 'invalid_answer' }],
      [
        { ...APPROVE, answer: {} },
        { details: { issues: [{ path: 'answer', message: "must have required property 'amount'" }] } },
      ],
      [{ ...APPROVE, answer: { amount: 1 }, hash: 'hash-0' }, { code: 'approval_changed' }],
    ];
    for (const [response, refusal] of refusals) {
      await expect(respond(alice, id, response)).rejects.toMatchObject(refusal);
    }
    expect(await statusOf(runId)).toBe('suspended');
    await expect(respond(alice, id, { ...APPROVE, answer: { amount: 1 }, hash: 'hash-1' })).resolves.toBeDefined();
  });

  it('that nobody answers in time expires, and the run goes on with that', async () => {
    const runId = await start();
    const { id } = await world.suspend(runId, { expiresAtMs: world.clock.now() + 30_000 });
    await world.passes(29_999);
    expect(await statusOf(runId)).toBe('suspended');
    await world.passes(1);
    expect(world.begun).toEqual([runId, runId]);
    expect(await answersOf(runId)).toEqual([{ state: 'ok', result: { decision: 'expired' } }]);
    await expect(respond(alice, id)).rejects.toMatchObject({
      code: 'approval_closed',
      message: 'the question is closed: it expired at 2026-01-15T12:00:30.000Z',
    });
  });

  it('is past its time for whoever answers before that is noticed', async () => {
    const runId = await start();
    const { id } = await world.suspend(runId, { expiresAtMs: world.clock.now() + 30_000 });
    world.clock.advance(30_000);
    await expect(respond(alice, id)).rejects.toMatchObject({
      code: 'approval_closed',
      message: 'the question is closed: it expired at 2026-01-15T12:00:30.000Z',
    });
  });

  it('is withdrawn with its run', async () => {
    const runId = await start();
    const { id } = await world.ask(runId);
    await world.end(runId, 'failed');
    await expect(respond(alice, id)).rejects.toMatchObject({
      code: 'approval_closed',
      message: 'the question is closed: its run ended first, at 2026-01-15T12:00:00.000Z',
    });
  });

  it('waits for a place in its lane when it was answered, like any other run', async () => {
    const asking = await start();
    const { id } = await world.suspend(asking);
    const other = await start();
    await respond(alice, id);
    await world.settled();
    expect(world.begun).toEqual([asking, other]);
    await world.end(other);
    expect(world.begun).toEqual([asking, other, asking]);
  });

  it('logs every answer that is refused because it is second, late, foreign or to something else, with its ids', async () => {
    const lines: unknown[] = [];
    const sink = {
      warn: (line: unknown) => lines.push(line),
      log: () => 0,
      error: () => 0,
      debug: () => 0,
      verbose: () => 0,
    };
    Logger.overrideLogger(sink);
    const { id } = await world.suspend(await start());
    const late = await world.suspend(await start(bob), { expiresAtMs: world.clock.now() + 1 });
    await respond(carol, id).catch(() => undefined);
    await respond(alice, id, { ...APPROVE, hash: 'hash-0' }).catch(() => undefined);
    await respond(alice, id);
    await respond(alice, id).catch(() => undefined);
    world.clock.advance(1);
    await respond(bob, late.id).catch(() => undefined);
    Logger.overrideLogger(false);
    expect(lines).toMatchObject([
      { userId: carol, approvalId: id, code: 'not_found' },
      { userId: alice, approvalId: id, code: 'approval_changed' },
      { userId: alice, approvalId: id, code: 'approval_closed' },
      { userId: bob, approvalId: late.id, code: 'approval_closed' },
    ]);
  });

  it('outlives the process: what was asked before it died is answered after', async () => {
    const runId = await start();
    const { id } = await world.suspend(runId);
    const { dir } = world.config.data;
    world.crash();
    await using later = await ServicesWorld.open({ dir, clock: world.clock });
    await later.approvals.respond(later.as(alice), id, APPROVE);
    await later.settled();
    expect(later.begun).toEqual([runId]);
  });
});
