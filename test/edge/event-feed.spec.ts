import fc from 'fast-check';
import { EventFeed, type StreamGap } from '../../src/edge/event-feed.js';
import { EventBus } from '../../src/events/event-bus.js';
import type { EventJournal } from '../../src/events/event-journal.port.js';
import { newId, type RunId, type UserId } from '../../src/shared/ids.js';
import { StagedJournal } from './staged-journal.js';

const alice = 'alice' as UserId;
const bob = 'bob' as UserId;

/** Lets every promise that can go on do so. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

/** A reader with room for a certain number of events. */
class Reader {
  readonly seqs: number[] = [];
  readonly owners = new Set<UserId>();
  readonly gaps: StreamGap[] = [];
  readonly failures: unknown[] = [];
  live = 0;
  room = Infinity;
  readonly feed: EventFeed;

  constructor(
    journal: StagedJournal,
    bus: EventBus,
    options: { userId?: UserId; after?: number; runId?: RunId; pageSize?: number; runEnded?: boolean } = {},
  ) {
    this.feed = new EventFeed({
      journal: journal as unknown as EventJournal,
      bus,
      userId: alice,
      after: 0,
      ...options,
      send: (event) => {
        if (this.room <= 0) throw new Error(`event ${event.seq} was sent to a full reader`);
        this.seqs.push(event.seq);
        this.owners.add(event.userId);
        this.room -= 1;
        return this.room > 0;
      },
      gap: (gap) => this.gaps.push(gap),
      live: () => (this.live += 1),
      failed: (error) => this.failures.push(error),
    });
  }

  makeRoom(events: number): void {
    this.room = events;
    this.feed.resume();
  }
}

function setUp() {
  const journal = new StagedJournal();
  return { journal, bus: new EventBus(journal as unknown as EventJournal) };
}

async function drain(journal: StagedJournal): Promise<void> {
  await settle();
  while (journal.step()) await settle();
}

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

describe('EventFeed', () => {
  const action = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('commit' as const),
        count: fc.integer({ min: 1, max: 12 }),
        run: fc.nat(2),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant('strangers commit' as const), count: fc.integer({ min: 1, max: 5 }) }),
    },
    { weight: 6, arbitrary: fc.record({ do: fc.constant('step' as const) }) },
    {
      weight: 3,
      arbitrary: fc.record({ do: fc.constant('make room' as const), events: fc.integer({ min: 1, max: 20 }) }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('fill up' as const) }) },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant('prune' as const), share: fc.double({ min: 0, max: 1, noNaN: true }) }),
    },
  );
  const plan = fc.record({
    before: fc.nat(30),
    after: fc.nat(30),
    pageSize: fc.integer({ min: 1, max: 9 }),
    ofOneRun: fc.boolean(),
    actions: fc.array(action, { maxLength: 60 }),
  });

  it('sends every event behind the cursor once and in order, whatever commits, pages, pauses and retention do', async () => {
    await fc.assert(
      fc.asyncProperty(plan, async ({ before, after, pageSize, ofOneRun, actions }) => {
        const { journal, bus } = setUp();
        const runs = [newId('run'), newId('run'), newId('run')] as const;
        const runOf: RunId[] = [];
        const commit = (count: number, run: RunId) => {
          for (let i = 0; i < count; i++) runOf.push(run);
          journal.commit(
            alice,
            Array.from({ length: count }, () => run),
          );
        };
        for (let i = 0; i < before; i++) commit(1, runs[(i % 3) as 0 | 1 | 2]);
        const from = Math.min(after, before);
        const reader = new Reader(journal, bus, { after: from, pageSize, runId: ofOneRun ? runs[0] : undefined });
        await reader.feed.start();
        for (const step of actions) {
          if (step.do === 'commit') commit(step.count, runs[step.run as 0 | 1 | 2]);
          else if (step.do === 'strangers commit')
            journal.commit(
              bob,
              Array.from({ length: step.count }, () => newId('run')),
            );
          else if (step.do === 'step') journal.step();
          else if (step.do === 'make room') reader.makeRoom(step.events);
          else if (step.do === 'fill up') reader.room = 1;
          else if (!ofOneRun) journal.prune(alice, Math.floor(runOf.length * step.share));
          await settle();
        }
        reader.makeRoom(Infinity);
        await drain(journal);
        const wake = runs[0];
        commit(1, wake);
        await drain(journal);

        const lost = reader.gaps.flatMap((gap) => range(gap.from, gap.to));
        const all = range(from + 1, runOf.length).filter((seq) => !ofOneRun || runOf[seq - 1] === runs[0]);
        expect(reader.seqs).toEqual(all.filter((seq) => !lost.includes(seq)));
        expect(reader.failures).toEqual([]);
        expect([...reader.owners]).toEqual([alice]);
        reader.feed.stop();
      }),
      { numRuns: 400 },
    );
  });

  it('goes over to live delivery although events arrive during every read', async () => {
    const { journal, bus } = setUp();
    const run = newId('run');
    journal.commit(alice, [run]);
    const reader = new Reader(journal, bus);
    await reader.feed.start();
    journal.step();
    journal.commit(alice, [run]);
    journal.step();
    await settle();
    expect(reader.live).toBe(1);
    expect(reader.seqs).toEqual([1, 2]);
    expect(journal.pending).toHaveLength(0);
  });

  it('keeps a bounded number of events while a read is slow, and still misses none', async () => {
    const { journal, bus } = setUp();
    const run = newId('run');
    const reader = new Reader(journal, bus);
    await reader.feed.start();
    journal.step();
    for (let i = 0; i < 1000; i++) journal.commit(alice, [run]);
    const kept = (reader.feed as unknown as { arrivals?: unknown[] }).arrivals;
    expect(kept).toBeUndefined();
    await drain(journal);
    expect(reader.seqs).toEqual(range(1, 1000));
    expect(reader.live).toBe(1);
  });

  it('reads little at a time for a reader that takes little at a time', async () => {
    const { journal, bus } = setUp();
    const run = newId('run');
    journal.commit(
      alice,
      Array.from({ length: 300 }, () => run),
    );
    const reader = new Reader(journal, bus, { pageSize: 100 });
    reader.room = 3;
    await reader.feed.start();
    await drain(journal);
    for (let rounds = 0; rounds < 100 && reader.seqs.length < 300; rounds++) {
      reader.makeRoom(3);
      await drain(journal);
    }
    const read = journal.limits.reduce((sum, limit) => sum + limit, 0);
    expect(reader.seqs).toEqual(range(1, 300));
    expect(read).toBeLessThan(1200);
  });

  it('reports what retention removed before the first event that is left', async () => {
    const { journal, bus } = setUp();
    journal.commit(
      alice,
      Array.from({ length: 10 }, () => newId('run')),
    );
    journal.prune(alice, 7);
    const reader = new Reader(journal, bus, { after: 2 });
    await reader.feed.start();
    await drain(journal);
    expect(reader.gaps).toEqual([{ from: 3, to: 7 }]);
    expect(reader.seqs).toEqual([8, 9, 10]);
  });

  it('reports the gap also when retention removed everything', async () => {
    const { journal, bus } = setUp();
    journal.commit(
      alice,
      Array.from({ length: 10 }, () => newId('run')),
    );
    journal.prune(alice, 10);
    const reader = new Reader(journal, bus, { after: 2 });
    await reader.feed.start();
    await drain(journal);
    journal.commit(alice, [newId('run')]);
    await drain(journal);
    expect(reader.gaps).toEqual([{ from: 3, to: 10 }]);
    expect(reader.seqs).toEqual([11]);
  });

  it('reports a gap of a run only when the run lost events', async () => {
    const { journal, bus } = setUp();
    const [old, split, young, waiting] = [newId('run'), newId('run'), newId('run'), newId('run')] as const;
    journal.commit(alice, [old, split, split, young]);
    journal.prune(alice, 2);
    const readers = [
      new Reader(journal, bus, { runId: old, runEnded: true }),
      new Reader(journal, bus, { runId: split }),
      new Reader(journal, bus, { runId: young }),
      new Reader(journal, bus, { runId: waiting }),
    ];
    for (const reader of readers) {
      await reader.feed.start();
      await drain(journal);
    }
    expect(readers.map((reader) => reader.gaps)).toEqual([[{ from: 1, to: 2 }], [{ from: 1, to: 2 }], [], []]);
    expect(readers.map((reader) => reader.seqs)).toEqual([[], [3], [4], []]);
  });

  it('refuses a cursor ahead of the newest event', async () => {
    const { journal, bus } = setUp();
    journal.commit(alice, [newId('run')]);
    const reader = new Reader(journal, bus, { after: 2 });
    await expect(reader.feed.start()).rejects.toMatchObject({ code: 'invalid_request' });
  });

  it('sends nothing after it was stopped, and listens no more', async () => {
    const { journal, bus } = setUp();
    const run = newId('run');
    const reader = new Reader(journal, bus);
    await reader.feed.start();
    journal.commit(alice, [run]);
    reader.feed.stop();
    await drain(journal);
    journal.commit(alice, [run]);
    expect(reader.seqs).toEqual([]);
    expect((bus as unknown as { listeners: Map<UserId, unknown> }).listeners.size).toBe(0);
  });

  it('tells of a journal that fails, once, and stops', async () => {
    const { journal, bus } = setUp();
    const reader = new Reader(journal, bus);
    journal.read = () => Promise.reject(new Error('the disk is gone'));
    await reader.feed.start();
    await settle();
    expect(reader.failures).toEqual([new Error('the disk is gone')]);
  });
});
