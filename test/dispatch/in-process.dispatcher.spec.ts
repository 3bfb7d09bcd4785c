import { Logger } from '@nestjs/common';
import { loadConfig } from '../../src/config/load-config.js';
import { InProcessDispatcher } from '../../src/dispatch/in-process.dispatcher.js';
import type { RunRef } from '../../src/execution/run-store.port.js';
import { claimedRun, describeRunDispatcher } from '../contracts/run-dispatcher.contract.js';
import { newId, type UserId } from '../../src/shared/ids.js';

/** A consumer whose runs end when the test says so. */
function stagedConsumer() {
  const begun: { user: string; end: () => void }[] = [];
  const run = ({ userId }: RunRef) => new Promise<void>((resolve) => begun.push({ user: userId, end: resolve }));
  return { begun, run, cancel: () => undefined, answered: () => undefined };
}

const ref = (user: string): RunRef => ({ userId: user as UserId, runId: newId('run') });

async function settle(): Promise<void> {
  await new Promise(setImmediate);
}

beforeAll(() => Logger.overrideLogger(false));
afterAll(() => Logger.overrideLogger(true));

describeRunDispatcher(
  'the process itself',
  async (slots) => new InProcessDispatcher(loadConfig({ CARREL_RUN_SLOTS: String(slots) })),
);

describe('the in-process dispatcher', () => {
  const withSlots = (slots: number) => new InProcessDispatcher(loadConfig({ CARREL_RUN_SLOTS: String(slots) }));

  it('begins no more runs than there are slots', async () => {
    const dispatcher = withSlots(2);
    const consumer = stagedConsumer();
    await dispatcher.start(consumer);
    for (let i = 0; i < 5; i++) await dispatcher.dispatch(ref('alice'));
    expect(consumer.begun).toHaveLength(2);
    expect(dispatcher.placeInLine()).toBe(4);
    consumer.begun[0]!.end();
    await settle();
    expect(consumer.begun).toHaveLength(3);
  });

  it("gives bob the next free slot but one at most, however many of alice's runs are in line", async () => {
    const dispatcher = withSlots(1);
    const consumer = stagedConsumer();
    await dispatcher.start(consumer);
    for (let i = 0; i < 100; i++) await dispatcher.dispatch(ref('alice'));
    await dispatcher.dispatch(ref('bob'));
    for (let i = 0; i < 2; i++) {
      consumer.begun.at(-1)!.end();
      await settle();
    }
    expect(consumer.begun.map(({ user }) => user)).toContain('bob');
  });

  it('serves users in turns', async () => {
    const dispatcher = withSlots(1);
    const consumer = stagedConsumer();
    for (const user of ['alice', 'alice', 'alice', 'bob', 'bob', 'carol']) await dispatcher.dispatch(ref(user));
    await dispatcher.start(consumer);
    for (let i = 0; i < 5; i++) {
      consumer.begun.at(-1)!.end();
      await settle();
    }
    expect(consumer.begun.map(({ user }) => user)).toEqual(['alice', 'bob', 'carol', 'alice', 'bob', 'alice']);
  });

  it('hands out nothing any more once it was stopped', async () => {
    const dispatcher = withSlots(4);
    const consumer = stagedConsumer();
    await dispatcher.start(consumer);
    await dispatcher.stop();
    await dispatcher.dispatch(ref('alice'));
    expect(consumer.begun).toHaveLength(0);
  });

  it('has stopped when no submit under way can still begin a run', async () => {
    const dispatcher = withSlots(4);
    const consumer = stagedConsumer();
    await dispatcher.start(consumer);
    const [first, second] = [dispatcher.reserve()!, dispatcher.reserve()!];
    let hasStopped = false;
    const stopping = dispatcher.stop().then(() => (hasStopped = true));
    first.release();
    await settle();
    expect(hasStopped).toBe(false);
    const { userId, runId } = ref('alice');
    second.begin(claimedRun({ userId, runId }));
    expect(consumer.begun.map(({ user }) => user)).toEqual(['alice']);
    await stopping;
    expect(dispatcher.reserve()).toBeUndefined();
  });

  it('frees the slot of a run that broke', async () => {
    const dispatcher = withSlots(1);
    const begun: string[] = [];
    await dispatcher.start({
      run: ({ userId }) => {
        begun.push(userId);
        return Promise.reject(new Error('the disk is full'));
      },
      cancel: () => undefined,
      answered: () => undefined,
    });
    await dispatcher.dispatch(ref('alice'));
    await dispatcher.dispatch(ref('bob'));
    await settle();
    await settle();
    expect(begun).toEqual(['alice', 'bob']);
  });
});
