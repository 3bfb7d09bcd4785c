import { ExecutionService } from '../../src/execution/execution.service.js';
import { Readiness } from '../../src/execution/readiness.js';
import type { RunRequest } from '../../src/execution/run-request.js';
import { newId, type RunId } from '../../src/shared/ids.js';
import { alice, bob } from '../contracts/storage-world.js';
import { ServicesWorld } from './services-world.js';

const DAY_MS = 24 * 60 * 60 * 1_000;
const ECHO: RunRequest = { agent: 'echo', input: { text: 'x' } };
const TWO_STEPS = {
  steps: [
    { name: 'one', agent: 'echo' },
    { name: 'two', agent: 'echo', dependsOn: ['one'] },
  ],
};

describe('starting runs', () => {
  let world: ServicesWorld;
  let execution: ExecutionService;

  beforeEach(async () => {
    world = await ServicesWorld.open({ env: { CARREL_USER_MAX_RUNNING: '1' } });
    execution = world.execution;
  });

  afterEach(() => world[Symbol.asyncDispose]());

  async function start(request: Partial<RunRequest> = {}, user = alice): Promise<RunId> {
    const { run } = await execution.submit(world.as(user), { ...ECHO, ...request });
    await world.settled();
    return run.id;
  }

  const find = (runId: RunId, user = alice) => execution.find(world.as(user), runId);

  it.each<[string, object, string]>([
    ['neither agent nor pipeline', { agent: undefined }, 'agent'],
    ['both agent and pipeline', { pipeline: 'p' }, 'pipeline'],
    ['an agent that is no text', { agent: 7 }, 'agent'],
    ['a pipeline that is neither text nor object', { agent: undefined, pipeline: 7 }, 'pipeline'],
    ['a pipeline that is a list', { agent: undefined, pipeline: [] }, 'pipeline'],
    ['a priority that is too high', { priority: 11 }, 'priority'],
    ['a priority that is no integer', { priority: 0.5 }, 'priority'],
    ['a priority that is a text', { priority: '1' }, 'priority'],
    ['a delay before now', { delayMs: -1 }, 'delayMs'],
    ['a delay of more than 31 days', { delayMs: 31 * DAY_MS + 1 }, 'delayMs'],
    ['an unknown policy for conflicts', { onConflict: 'replace' }, 'onConflict'],
  ])('with %s is refused, naming the field', async (_, over, field) => {
    const refused = execution.submit(world.as(alice), { ...ECHO, ...over } as RunRequest);
    await expect(refused).rejects.toMatchObject({ code: 'invalid_request', message: expect.stringContaining(field) });
    expect(await execution.lane(world.as(alice))).toMatchObject({ running: 0, queued: 0, starts: 0 });
  });

  it.each<[string, Partial<RunRequest>]>([
    ['priority', { priority: 1 }],
    ['delay', { delayMs: 1 }],
    ['policy for conflicts', { onConflict: 'reject' }],
    ['target', { agent: undefined, pipeline: TWO_STEPS }],
  ])('with the key of a request with another %s is refused', async (_, over) => {
    const idempotencyKey = 'key-1';
    const id = await start({ idempotencyKey });
    const again = await execution.submit(world.as(alice), { ...ECHO, idempotencyKey, priority: 0, delayMs: 0 });
    expect(again).toMatchObject({ run: { id }, replayed: true });
    await expect(start({ ...over, idempotencyKey })).rejects.toMatchObject({ code: 'idempotency_conflict' });
    for (const key of ['', 'a\u0000b', '\ud800', 'k'.repeat(256)]) {
      await expect(start({ idempotencyKey: key })).rejects.toMatchObject({ code: 'invalid_request' });
    }
  });

  it('with the key of a request for another pipeline is refused', async () => {
    const asked = { agent: undefined, idempotencyKey: 'key-1' };
    const id = await start({ ...asked, pipeline: TWO_STEPS });
    expect(await start({ ...asked, pipeline: { steps: [...TWO_STEPS.steps] } })).toBe(id);
    const other = start({ ...asked, pipeline: { steps: TWO_STEPS.steps.slice(0, 1) } });
    await expect(other).rejects.toMatchObject({ code: 'idempotency_conflict' });
  });

  it('with a delay begins them when it is over, not before, and holds no place meanwhile', async () => {
    const id = await start({ delayMs: 5_000 });
    const at = world.clock.now() + 5_000;
    expect(await find(id)).toMatchObject({ status: 'queued', heldBy: 'delay', notBeforeMs: at });
    const other = await start();
    expect(world.begun).toEqual([other]);
    await world.end(other);
    await world.passes(4_999);
    expect(world.begun).toEqual([other]);
    await world.passes(1);
    expect(world.begun).toEqual([other, id]);
  });

  it('with delays begins each in its time, whichever was asked for first', async () => {
    const late = await start({ delayMs: 31 * DAY_MS }, bob);
    const soon = await start({ delayMs: 1_000 });
    await world.passes(1_000);
    expect(world.begun).toEqual([soon]);
    await world.passes(31 * DAY_MS);
    expect(world.begun).toEqual([soon, late]);
  });

  it("with a priority overtakes alice's own waiting runs, and no run of bob's", async () => {
    const [first, low, high] = [await start(), await start({ priority: -1 }), await start({ priority: 10 })];
    const his = await start({}, bob);
    expect(world.begun).toEqual([first, his]);
    await world.end(first);
    await world.end(high);
    expect(world.begun).toEqual([first, his, high, low]);
  });

  it("interrupts the thread's running run when asked to, and begins when that has ended", async () => {
    const first = await start({ threadId: 'one' });
    const second = await start({ threadId: 'one', onConflict: 'interrupt' });
    expect(world.consumer.told).toEqual([`cancel alice's ${first} by alice`]);
    expect(world.begun).toEqual([first]);
    await world.end(first, 'cancelled');
    expect(world.begun).toEqual([first, second]);
  });

  it("leaves bob's thread of the same name alone when alice interrupts hers", async () => {
    const his = await start({ threadId: 'one' }, bob);
    await start({ threadId: 'one', onConflict: 'interrupt' });
    expect(world.consumer.told).toEqual([]);
    expect(await find(his, bob)).toMatchObject({ status: 'running' });
  });

  it('dispatches the run that gets the place of one that was interrupted before it had begun', async () => {
    await world[Symbol.asyncDispose]();
    world = await ServicesWorld.open({ env: { CARREL_USER_MAX_RUNNING: '1', CARREL_RUN_SLOTS: '1' } });
    execution = world.execution;
    const his = await start({}, bob); // has the only slot
    await start({ threadId: 'one' }); // has her only place
    const next = await start({ threadId: 'two' });
    const newest = await start({ threadId: 'one', onConflict: 'interrupt', delayMs: 1_000 }); // takes no place yet
    await world.end(his);
    expect(world.begun).toEqual([his, next]);
    await world.end(next);
    await world.passes(1_000);
    expect(world.begun).toEqual([his, next, newest]);
  });

  it("is refused with thread_busy when asked to, and only for alice's own thread", async () => {
    await start({ threadId: 'one' });
    const again = () => start({ threadId: 'one', onConflict: 'reject' });
    await expect(again()).rejects.toMatchObject({ code: 'thread_busy' });
    await expect(start({ threadId: 'one', onConflict: 'reject' }, bob)).resolves.toBeDefined();
    await world.end(world.begun[0]!);
    await expect(again()).resolves.toBeDefined();
  });

  it('takes a pipeline as data, and names it', async () => {
    const id = await start({ agent: undefined, pipeline: { name: 'two-steps', ...TWO_STEPS } });
    expect(await find(id)).toMatchObject({ agent: 'two-steps', pipeline: { name: 'two-steps', ...TWO_STEPS } });
  });

  it.each<[string, RunRequest['pipeline'], string]>([
    ['an unknown name', 'of-yesterday', 'unknown_pipeline'],
    ['no steps', { steps: [] }, 'invalid_pipeline'],
  ])('refuses a pipeline with %s', async (_, pipeline, code) => {
    await expect(start({ agent: undefined, pipeline })).rejects.toMatchObject({ code });
    expect(await execution.lane(world.as(alice))).toMatchObject({ starts: 0 });
  });

  it('takes no run any more when the server drains', async () => {
    const id = await start();
    await world.end(id);
    world.get(Readiness).drain();
    await expect(start()).rejects.toMatchObject({ code: 'draining' });
    const retried = execution.retry(world.as(alice), id, { reuseSteps: false });
    await expect(retried).rejects.toMatchObject({ code: 'draining' });
  });

  describe('once more', () => {
    it('makes a new run of the same, and says of which', async () => {
      const id = await start({ threadId: 'one', metadata: { a: 1 }, priority: 3, input: { text: 'y' } });
      await world.end(id, 'failed');
      const again = await execution.retry(world.as(alice, ['admin']), id, { reuseSteps: false });
      const { agent, input, threadId, metadata, priority } = await find(id);
      expect(again).toMatchObject({
        agent,
        input,
        threadId,
        metadata,
        priority,
        retryOf: id,
        origin: { roles: ['admin'] },
      });
      expect(again.id).not.toBe(id);
      await world.settled();
      expect(world.begun).toEqual([id, again.id]);
    });

    it('has the finished steps of the first one, if asked to', async () => {
      const id = await start();
      const question = await world.suspend(id);
      await world.approvals.respond(world.as(alice), question.id, { decision: 'approve' });
      await world.settled();
      await world.end(id, 'failed');
      for (const reuseSteps of [true, false]) {
        const again = await execution.retry(world.as(alice), id, { reuseSteps });
        await world.settled();
        expect(world.consumer.claimed(again.id).hasSteps).toBe(reuseSteps);
        expect(await world.storage.runs.steps(alice, again.id)).toHaveLength(reuseSteps ? 1 : 0);
        await world.end(again.id);
      }
    });

    it('goes for a pipeline too', async () => {
      const id = await start({ agent: undefined, pipeline: TWO_STEPS });
      await world.end(id);
      const again = await execution.retry(world.as(alice), id, { reuseSteps: true });
      expect(again).toMatchObject({ pipeline: TWO_STEPS, retryOf: id });
      await world.settled();
      expect(world.begun).toEqual([id, again.id]);
    });

    it("is refused for a run that has not ended, for bob's, and for one that never was", async () => {
      const id = await start();
      const his = await start({}, bob);
      await world.end(his);
      for (const reuseSteps of [true, false]) {
        const retry = (runId: RunId) => execution.retry(world.as(alice), runId, { reuseSteps });
        await expect(retry(id)).rejects.toMatchObject({ code: 'run_not_ended' });
        await expect(retry(his)).rejects.toMatchObject({ code: 'not_found' });
        await expect(retry(newId('run'))).rejects.toMatchObject({ code: 'not_found' });
      }
    });

    it('is refused when its agent is gone', async () => {
      const id = await start();
      await world.end(id);
      const { dir } = world.config.data;
      world.crash();
      await using later = await ServicesWorld.open({ dir, agents: [], clock: world.clock });
      const refused = later.execution.retry(later.as(alice), id, { reuseSteps: false });
      await expect(refused).rejects.toMatchObject({ code: 'unknown_agent' });
    });
  });

  describe('and waiting for their ends', () => {
    it('gives the run as it is at its end', async () => {
      const ended = execution.execute(world.as(alice), ECHO);
      await world.settled();
      await world.end(world.begun[0]!);
      expect(await ended).toMatchObject({ id: world.begun[0], status: 'completed', result: { ok: true } });
    });

    it('gives the run as it is when the time or the patience is over', async () => {
      const timed = execution.execute(world.as(alice), ECHO, { timeoutMs: 500 });
      const patience = new AbortController();
      const impatient = execution.execute(world.as(bob), ECHO, { signal: patience.signal });
      await world.settled();
      await world.passes(500);
      expect(await timed).toMatchObject({ userId: alice, status: 'running' });
      patience.abort();
      expect(await impatient).toMatchObject({ userId: bob, status: 'running' });
    });
  });

  it('and cancelling them: one that is suspended has ended at once, with its question', async () => {
    const id = await start();
    const question = await world.suspend(id);
    expect(await find(id)).toMatchObject({ status: 'suspended' });
    await expect(execution.cancel(world.as(bob), id)).rejects.toMatchObject({ code: 'not_found' });
    expect(await execution.cancel(world.as(alice), id, { wait: true })).toMatchObject({ status: 'cancelled' });
    expect(await world.approvals.find(world.as(alice), question.id)).toMatchObject({ decision: 'withdrawn' });
    await expect(execution.cancel(world.as(alice), id)).rejects.toMatchObject({ code: 'run_ended' });
  });
});
