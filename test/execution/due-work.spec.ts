import { Logger } from '@nestjs/common';
import { DueWork, type DueSource } from '../../src/execution/due-work.service.js';
import { Readiness } from '../../src/execution/readiness.js';
import { HeldClock } from '../contracts/storage-world.js';

/** Things that are due at times of the test's choice, carried out two at a time. */
class Due implements DueSource {
  carriedOut: number[] = [];
  asked = 0;
  failures = 0;

  constructor(public times: number[] = []) {}

  async nextDueMs(): Promise<number | undefined> {
    this.asked++;
    if (this.failures > 0) {
      this.failures--;
      throw new Error('the disk is full');
    }
    return this.times.length > 0 ? Math.min(...this.times) : undefined;
  }

  async carryOut(nowMs: number): Promise<boolean> {
    const due = this.times.filter((time) => time <= nowMs).toSorted((a, b) => a - b);
    const batch = due.slice(0, 2);
    this.carriedOut.push(...batch);
    this.times = this.times.filter((time) => !batch.includes(time));
    return due.length > 2;
  }
}

describe('the timer for what comes due', () => {
  let clock: HeldClock;
  let readiness: Readiness;
  let work: DueWork;

  beforeEach(() => {
    clock = new HeldClock(0);
    readiness = new Readiness();
    work = new DueWork(readiness, { profile: { kind: 'embedded' } }, clock);
  });

  function start(...sources: Due[]): Promise<void> {
    for (const source of sources) work.register(source);
    work.onApplicationBootstrap();
    return settled();
  }

  /** Until what was begun is done. */
  async function settled(): Promise<void> {
    for (let i = 0; i < 20; i++) await new Promise(setImmediate);
  }

  async function passes(ms: number): Promise<void> {
    clock.advance(ms);
    await settled();
  }

  it('carries out what is due already when the application starts, and not before', async () => {
    const due = new Due([-5, -4, -3, -2, -1, 100]);
    work.register(due);
    work.lookAgain();
    await settled();
    expect(due.carriedOut).toEqual([]);
    await start();
    expect(due.carriedOut).toEqual([-5, -4, -3, -2, -1]);
  });

  it('waits for the earliest of all kinds, with one timer', async () => {
    const [runs, schedules] = [new Due([2_000]), new Due([500, 900])];
    await start(runs, schedules);
    expect(clock.pending).toEqual([500]);
    await passes(500);
    expect(schedules.carriedOut).toEqual([500]);
    expect(clock.pending).toEqual([400]);
    await passes(400);
    await passes(1_100);
    expect([runs.carriedOut, schedules.carriedOut]).toEqual([[2_000], [500, 900]]);
  });

  it('is set anew for what was written and is due earlier, without asking anybody', async () => {
    const due = new Due([5_000]);
    await start(due);
    const asked = due.asked;
    due.times.push(1_000, 9_000);
    work.lookAgain(9_000);
    expect(clock.pending).toEqual([5_000]);
    work.lookAgain(1_000);
    await settled();
    expect(clock.pending).toEqual([1_000]);
    expect(due.asked).toBe(asked);
    await passes(1_000);
    expect(due.carriedOut).toEqual([1_000]);
    expect(clock.pending).toEqual([4_000]);
  });

  it('looks once for all that is written in one tick', async () => {
    const due = new Due();
    await start(due);
    const asked = due.asked;
    due.times.push(0);
    for (let i = 0; i < 100; i++) work.lookAgain();
    await settled();
    expect(due.carriedOut).toEqual([0]);
    expect(due.asked - asked).toBeLessThanOrEqual(3);
  });

  it('looks again for what is written while it looks', async () => {
    const due = new Due([0]);
    const carryOut = due.carryOut.bind(due);
    due.carryOut = async (nowMs) => {
      const more = await carryOut(nowMs);
      if (due.carriedOut.length === 1) setImmediate(() => (due.times.push(0), work.lookAgain(0)));
      await new Promise(setImmediate);
      return more;
    };
    await start(due);
    expect(due.carriedOut).toEqual([0, 0]);
  });

  it('looks every minute, for others may have written something', async () => {
    const due = new Due();
    await start(due);
    expect(clock.pending).toEqual([60_000]);
    due.times.push(30_000); // by another process: nobody says so here
    await passes(60_000);
    expect(due.carriedOut).toEqual([30_000]);
  });

  it('tries again what has failed, less and less often, within a minute; others come in time', async () => {
    Logger.overrideLogger(false);
    const [broken, sound] = [new Due([0]), new Due([1_500])];
    broken.failures = 9;
    await start(broken, sound);
    const pauses: number[] = [];
    for (let i = 0; i < 10 && broken.carriedOut.length === 0; i++) {
      pauses.push(clock.pending[0]!);
      await passes(clock.pending[0]!);
    }
    expect(pauses).toEqual([1_000, 500, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
    expect([broken.carriedOut, sound.carriedOut]).toEqual([[0], [1_500]]);
    Logger.overrideLogger(true);
  });

  it('does not spin when something seems to stay due', async () => {
    const due = new Due([0]);
    due.carryOut = async () => false;
    await start(due);
    expect(clock.pending).toEqual([10]);
    expect(due.asked).toBeLessThan(5);
  });

  it('begins nothing when the server drains', async () => {
    const due = new Due([1_000]);
    await start(due);
    readiness.drain();
    await passes(1_000);
    work.lookAgain();
    await settled();
    expect(due.carriedOut).toEqual([]);
    expect(clock.pending).toEqual([]);
  });

  it('ends with the batch that is under way', async () => {
    const due = new Due([0, 1]);
    const held = Promise.withResolvers<boolean>();
    due.carryOut = () => held.promise;
    await start(due);
    let hasStopped = false;
    const stopping = work.beforeApplicationShutdown().then(() => (hasStopped = true));
    await settled();
    expect(hasStopped).toBe(false);
    held.resolve(true);
    await stopping;
    expect(clock.pending).toEqual([]);
  });
});
