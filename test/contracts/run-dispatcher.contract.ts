import type { ClaimedRun, RunRef } from '../../src/execution/run-store.port.js';
import type { RunConsumer, RunDispatcher } from '../../src/execution/run-dispatcher.port.js';
import { newId, type RunId, type UserId } from '../../src/shared/ids.js';

/** As much of a run that was claimed as a dispatcher looks at. */
export function claimedRun({ userId, runId }: RunRef): ClaimedRun {
  return { userId, id: runId, origin: { requestId: newId('req'), roles: [] } } as Partial<ClaimedRun> as ClaimedRun;
}

export const refOf = (user: string): RunRef => ({ userId: user as UserId, runId: newId('run') });

/** Until it is so: what goes through another process has no moment of its own. */
export async function until(isSo: () => boolean | Promise<boolean>, what = 'it'): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`${what} has not come to be so`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Carries runs out as a process does, claims included; they end when the test says so. */
export class StagedConsumer implements RunConsumer {
  /** Those under way, in the order in which they began. */
  readonly underWay: { ref: RunRef; end: () => void; fail: (error: Error) => void }[] = [];
  readonly begun: string[] = [];
  readonly heard: string[] = [];
  most = 0;

  /** @param claims runs that are anybody's already; shared by all processes of a test */
  constructor(private readonly claims = new Set<RunId>()) {}

  async run(ref: RunRef, claimed?: ClaimedRun): Promise<void> {
    if (!claimed && this.claims.has(ref.runId)) return;
    this.claims.add(ref.runId);
    this.begun.push(ref.userId);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const leave = () => this.underWay.splice(this.underWay.indexOf(own), 1);
    const own = { ref, end: () => (leave(), resolve()), fail: (error: Error) => (leave(), reject(error)) };
    this.underWay.push(own);
    this.most = Math.max(this.most, this.underWay.length);
    await promise;
  }

  cancel({ runId }: RunRef, by: string): void {
    this.heard.push(`cancel ${runId} by ${by}`);
  }

  answered({ runId }: RunRef): void {
    this.heard.push(`answered ${runId}`);
  }

  /** It is suspended: it may be claimed again. */
  suspend(runId: RunId): void {
    this.claims.delete(runId);
    this.underWay.find(({ ref }) => ref.runId === runId)!.end();
  }
}

/** What every dispatcher holds, with `slots` runs at once in this process. */
export function describeRunDispatcher(name: string, open: (slots: number) => Promise<RunDispatcher>): void {
  describe(`${name}, as a dispatcher`, () => {
    it('begins no more runs than there are slots, and all of them in the end', async () => {
      const dispatcher = await open(2);
      const consumer = new StagedConsumer();
      await dispatcher.start(consumer);
      for (let i = 0; i < 7; i++) await dispatcher.dispatch(refOf(i % 2 ? 'alice' : 'bob'));
      for (let ended = 0; ended < 7; ended++) {
        await until(() => consumer.underWay.length > 0, `run ${ended}`);
        consumer.underWay[0]!.end();
      }
      await until(() => consumer.begun.length === 7 && consumer.underWay.length === 0);
      expect(consumer.most).toBe(2);
      expect(consumer.begun.toSorted()).toEqual([...Array(3).fill('alice'), ...Array(4).fill('bob')]);
    });

    it('begins what was dispatched before it was started', async () => {
      const dispatcher = await open(2);
      const consumer = new StagedConsumer();
      await dispatcher.dispatch(refOf('alice'));
      await dispatcher.start(consumer);
      await until(() => consumer.begun.length === 1);
    });

    it('begins a run once that is dispatched twice, and again when it was suspended meanwhile', async () => {
      const dispatcher = await open(2);
      const consumer = new StagedConsumer();
      await dispatcher.start(consumer);
      const ref = refOf('alice');
      await Promise.all([dispatcher.dispatch(ref), dispatcher.dispatch(ref)]);
      await until(() => consumer.underWay.length === 1);
      await dispatcher.dispatch(refOf('bob'));
      await until(() => consumer.underWay.length === 2);
      expect(consumer.begun).toEqual(['alice', 'bob']);
      for (let i = 0; i < 20; i++) {
        consumer.suspend(ref.runId);
        await dispatcher.dispatch(ref);
        await until(() => consumer.begun.length === 3 + i, `going on ${i}`);
      }
    });

    it('keeps a slot for a run that is being submitted, and gives it back when that comes to nothing', async () => {
      const dispatcher = await open(3);
      const consumer = new StagedConsumer();
      expect(dispatcher.reserve()).toBeUndefined();
      await dispatcher.start(consumer);
      let slot = dispatcher.reserve();
      await until(() => (slot ??= dispatcher.reserve()) !== undefined, 'a slot');
      slot!.release();
      const { userId, runId } = refOf('alice');
      slot = undefined;
      await until(() => (slot ??= dispatcher.reserve()) !== undefined, 'a slot');
      slot!.begin(claimedRun({ userId, runId }));
      expect(consumer.begun).toEqual(['alice']);
      expect(dispatcher.placeInLine()).toBe(0);
      for (let i = 0; i < 3; i++) await dispatcher.dispatch(refOf('bob'));
      await until(() => consumer.begun.length === 3);
      expect(consumer.most).toBe(3);
      expect(dispatcher.reserve()).toBeUndefined();
      expect(dispatcher.placeInLine()).toBeGreaterThan(0);
    });

    it('tells of a cancel and of an answer at once', async () => {
      const dispatcher = await open(1);
      const consumer = new StagedConsumer();
      await dispatcher.start(consumer);
      const ref = refOf('alice');
      void dispatcher.cancel(ref, 'alice');
      void dispatcher.answered(ref);
      expect(consumer.heard).toEqual([`cancel ${ref.runId} by alice`, `answered ${ref.runId}`]);
    });

    it('frees the slot of a run that broke', async () => {
      const dispatcher = await open(1);
      const consumer = new StagedConsumer();
      await dispatcher.start(consumer);
      await dispatcher.dispatch(refOf('alice'));
      await until(() => consumer.underWay.length === 1);
      consumer.underWay[0]!.fail(new Error('the disk is full'));
      await dispatcher.dispatch(refOf('bob'));
      await until(() => consumer.underWay.length === 1);
      expect(consumer.begun).toEqual(['alice', 'bob']);
    });

    it('has stopped when nothing that was reserved can still begin, and hands out nothing more', async () => {
      const dispatcher = await open(4);
      const consumer = new StagedConsumer();
      await dispatcher.start(consumer);
      let first = dispatcher.reserve();
      await until(() => (first ??= dispatcher.reserve()) !== undefined, 'a slot');
      const second = dispatcher.reserve()!;
      let hasStopped = false;
      const stopping = dispatcher.stop().then(() => (hasStopped = true));
      first!.release();
      await new Promise(setImmediate);
      expect(hasStopped).toBe(false);
      const { userId, runId } = refOf('alice');
      second.begin(claimedRun({ userId, runId }));
      expect(consumer.begun).toEqual(['alice']);
      await stopping;
      expect(dispatcher.reserve()).toBeUndefined();
      await dispatcher.dispatch(refOf('bob'));
      await new Promise(setImmediate);
      expect(consumer.begun).toEqual(['alice']);
      consumer.underWay[0]!.end();
    });
  });
}
