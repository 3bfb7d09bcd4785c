import { draftEvent, type JournalledEvent, type RunEvent } from '../../src/events/run-event.js';
import { newId, type ThreadId, type UserId } from '../../src/shared/ids.js';
import { journalRetentionContract } from './journal-retention.contract.js';
import {
  alice,
  bob,
  executing,
  newRun,
  onEmptyStorage,
  opening,
  outcomeOf,
  ROOMY,
  T0,
  terminalDraft,
  thinking,
  toolDone,
  upTo,
  type OpenStorage,
} from './storage-world.js';

/** What every adapter of `EventJournal` has to keep. */
export function eventJournalContract(openStorage: OpenStorage): void {
  describe('numbering and envelopes', () => numberingContract(openStorage));
  describe('reading', () => readingContract(openStorage));
  describe('delivery after the commit', () => deliveryContract(openStorage));
  describe('open tool calls', () => toolContract(openStorage));
  describe('retention', () => journalRetentionContract(openStorage));
}

function numberingContract(openStorage: OpenStorage): void {
  const world = onEmptyStorage(openStorage);

  it("numbers a user's events 1, 2, 3, … over all of the user's runs, and each run's own likewise", async () => {
    const { journal } = world().ports;
    const [a1, a2, b1] = [await world().running(alice), await world().running(alice), await world().running(bob)];
    await Promise.all([
      journal.append(alice, a1.id, a1.fence, [thinking('1'), thinking('2')]),
      journal.append(bob, b1.id, b1.fence, [thinking('3')]),
      journal.append(alice, a2.id, a2.fence, [thinking('4')]),
      journal.append(alice, a1.id, a1.fence, [thinking('5')]),
      world().end(a2),
    ]);
    const mine = await world().events(alice);
    expect(mine.map(({ seq }) => seq)).toEqual(upTo(7));
    for (const run of [a1, a2]) {
      const own = mine.filter(({ runId }) => runId === run.id);
      expect(own.map(({ runSeq }) => runSeq)).toEqual(upTo(own.length));
    }
    expect((await world().events(bob)).map(({ seq }) => seq)).toEqual([1, 2]);
    expect(await journal.bounds(alice)).toEqual({ pruned: 0, last: 7 });
    expect(await journal.bounds(bob)).toEqual({ pruned: 0, last: 2 });
    expect(await journal.bounds('nobody' as UserId)).toEqual({ pruned: 0, last: 0 });
  });

  it('writes the envelope of the contract, its keys in order', async () => {
    const { journal } = world().ports;
    const run = await world().running(alice, { threadId: 't"1' as ThreadId, agent: 'say-"hi"' });
    const data = { thought: 'ünï "quoted" \u0000 ,"data":{} \ud83d\ude00' };
    await journal.append(alice, run.id, run.fence, [
      { type: 'agent_thinking', attempt: 2, atMs: T0 + 1, data: JSON.stringify(data), step: 's"1' },
    ]);
    const [first, second] = (await journal.read(alice, { after: 0, limit: 9 })).items;
    const expected = {
      v: 1,
      id: expect.stringMatching(/^evt_[0-9a-z]{26}$/),
      type: 'agent_thinking',
      seq: 2,
      runSeq: 2,
      runId: run.id,
      threadId: 't"1',
      agent: 'say-"hi"',
      step: 's"1',
      attempt: 2,
      at: '2026-01-15T12:00:00.001Z',
      data,
    };
    const envelope = JSON.parse(second!.json) as RunEvent;
    expect(envelope).toEqual(expected);
    expect(Object.keys(envelope)).toEqual(Object.keys(expected));
    expect(second).toEqual({ userId: alice, runId: run.id, type: 'agent_thinking', seq: 2, json: second!.json });
    expect(JSON.parse(first!.json)).not.toHaveProperty('step');
  });

  it('adds nothing for drafts that end the run, or for none at all', async () => {
    const { journal } = world().ports;
    const run = await world().running(alice);
    const ending = journal.append(alice, run.id, run.fence, [thinking('x'), terminalDraft('completed')]);
    await expect(ending).rejects.toMatchObject({ code: 'internal' });
    await journal.append(alice, run.id, run.fence, []);
    expect(await world().types(alice)).toEqual(['agent_started']);
  });

  it('adds nothing to a run that is queued or unknown', async () => {
    const { runs, journal } = world().ports;
    const { run } = await runs.submit(alice, newRun(), ROOMY);
    for (const id of [run.id, newId('run')]) {
      await expect(journal.append(alice, id, 0, [thinking('x')])).rejects.toMatchObject({ code: 'run_closed' });
    }
    expect(await world().events(alice)).toEqual([]);
  });

  it('goes on with the next number when a run is claimed again', async () => {
    const { runs } = world().ports;
    const run = await world().running(alice);
    await runs.requeue(alice, run.id, run.fence);
    await runs.claim(alice, run.id, opening);
    expect((await world().events(alice)).map(({ seq, runSeq }) => [seq, runSeq])).toEqual([
      [1, 1],
      [2, 2],
    ]);
  });

  it('raises the attempt of the record with the first event of a higher one, and never lowers it', async () => {
    const { runs, journal } = world().ports;
    const run = await world().running(alice);
    for (const attempt of [3, 2]) {
      const draft = draftEvent('agent_thinking', { thought: 'again' }, { attempt, atMs: T0 });
      await journal.append(alice, run.id, run.fence, [draft]);
      expect(await runs.find(alice, run.id)).toMatchObject({ attempt: 3, fence: run.fence });
    }
    await runs.requeue(alice, run.id, run.fence);
    expect(await runs.claim(alice, run.id, opening)).toMatchObject({ attempt: 4 });
  });
}

function readingContract(openStorage: OpenStorage): void {
  const world = onEmptyStorage(openStorage);

  it('pages through everything, whatever the page size, for one user', async () => {
    const { journal } = world().ports;
    const [mine, theirs] = [await world().running(alice), await world().running(bob)];
    for (let i = 0; i < 12; i++) {
      await journal.append(alice, mine.id, mine.fence, [thinking(`alice ${i}`)]);
      await journal.append(bob, theirs.id, theirs.fence, [thinking(`bob ${i}`)]);
    }
    for (const limit of [1, 5, 13, 100]) {
      const seen: JournalledEvent[] = [];
      for (let after = 0; ;) {
        const page = await journal.read(alice, { after, limit });
        expect(page.items.length).toBeLessThanOrEqual(limit);
        expect(page.next).toBe(page.items.at(-1)?.seq ?? after);
        if (page.items.length === 0) break;
        seen.push(...page.items);
        after = page.next;
      }
      expect(seen.map(({ seq }) => seq)).toEqual(upTo(13));
      expect(seen.every(({ userId, json }) => userId === alice && !json.includes('bob'))).toBe(true);
    }
  });

  it('answers a question beyond the end with nothing, and keeps the place', async () => {
    await world().running(alice);
    expect(await world().ports.journal.read(alice, { after: 7, limit: 9 })).toEqual({ items: [], next: 7 });
  });

  it("gives one run's events only, from any place in the user's sequence", async () => {
    const { journal } = world().ports;
    const runs = [await world().running(alice), await world().running(alice), await world().running(alice)];
    for (let i = 0; i < 9; i++) {
      const run = runs[i % 3]!;
      await journal.append(alice, run.id, run.fence, [thinking(`${i}`)]);
    }
    const all = await world().events(alice);
    for (const run of runs) {
      for (let after = 0; after <= 13; after++) {
        const { items } = await journal.read(alice, { after, limit: 2, runId: run.id });
        const expected = all.filter(({ runId, seq }) => runId === run.id && seq > after).slice(0, 2);
        expect(items.map(({ json }) => JSON.parse(json) as RunEvent)).toEqual(expected);
      }
      expect(await journal.read(bob, { after: 0, limit: 9, runId: run.id })).toEqual({ items: [], next: 0 });
    }
    expect(await world().events(alice, newId('run'))).toEqual([]);
  });
}

function broken(): never {
  throw new Error('not an error of ours');
}

function deliveryContract(openStorage: OpenStorage): void {
  const world = onEmptyStorage(openStorage);

  it('gives the listener exactly what is stored, in the order of seq, before the promise of the write resolves', async () => {
    const { journal } = world().ports;
    const order: string[] = [];
    const delivered: JournalledEvent[] = [];
    const run = await world().running(alice);
    journal.onCommitted((events) => {
      delivered.push(...events);
      order.push(...events.map(({ seq }) => `event ${seq}`));
    });
    await Promise.all([
      journal.append(alice, run.id, run.fence, [thinking('a')]).then(() => order.push('first append')),
      journal.append(alice, run.id, run.fence, [thinking('b')]).then(() => order.push('second append')),
      world()
        .end(run)
        .then(() => order.push('end')),
    ]);
    expect(order).toEqual(['event 2', 'event 3', 'event 4', 'first append', 'second append', 'end']);
    const stored = await journal.read(alice, { after: 1, limit: 9 });
    expect(delivered).toEqual(stored.items);
  });

  it('shows a listener a journal that has what it is told of', async () => {
    const { journal } = world().ports;
    const reads: Promise<number>[] = [];
    journal.onCommitted(([first]) => {
      reads.push(journal.bounds(first!.userId).then(({ last }) => last - first!.seq));
    });
    await world().ended(alice);
    expect(await Promise.all(reads)).toEqual([0, 0]);
  });

  it('tells every listener, also when one of them fails', async () => {
    const { journal } = world().ports;
    const seen: number[] = [];
    journal.onCommitted(() => {
      throw new Error('a listener that fails');
    });
    journal.onCommitted((events) => seen.push(...events.map(({ seq }) => seq)));
    const run = await world().running(alice);
    await world().end(run);
    expect(seen).toEqual([1, 2]);
  });

  it('says nothing of what was refused', async () => {
    const { journal, runs } = world().ports;
    const run = await world().ended(alice);
    const told: JournalledEvent[] = [];
    journal.onCommitted((events) => told.push(...events));
    await expect(journal.append(alice, run.id, run.fence, [thinking('late')])).rejects.toThrow();
    await expect(
      runs.finish(alice, run.id, run.fence, outcomeOf('failed'), [terminalDraft('failed')], ROOMY),
    ).rejects.toThrow();
    expect(told).toEqual([]);
  });

  it('lets one operation fail without its neighbours', async () => {
    const { journal, runs } = world().ports;
    const [mine, theirs] = [await world().running(alice), await world().running(bob)];
    const { run: queued } = await runs.submit(bob, newRun(), ROOMY);
    const told: JournalledEvent[] = [];
    journal.onCommitted((events) => told.push(...events));
    const settled = await Promise.allSettled([
      journal.append(alice, mine.id, mine.fence, [thinking('before')]),
      runs.claim(bob, queued.id, broken),
      journal.append(bob, theirs.id, theirs.fence + 1, [thinking('refused')]),
      journal.append(bob, theirs.id, theirs.fence, [thinking('after')]),
      runs.submit(alice, newRun({ id: mine.id }), ROOMY),
      world().end(mine),
    ]);
    expect(settled.map(({ status }) => status === 'fulfilled')).toEqual([true, false, false, true, false, true]);
    expect((await world().events(alice)).map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect((await world().events(bob)).map(({ seq }) => seq)).toEqual([1, 2]);
    expect(told.map(({ userId, seq }) => [userId, seq])).toEqual([
      [alice, 2],
      [bob, 2],
      [alice, 3],
    ]);
    expect(await runs.lane(alice)).toMatchObject({ running: 0, queued: 0, starts: 1 });
    expect(await runs.lane(bob)).toMatchObject({ running: 2, queued: 0 });
    expect(await runs.claim(bob, queued.id, opening)).toMatchObject({ fence: 1 });
  });
}

function toolContract(openStorage: OpenStorage): void {
  const world = onEmptyStorage(openStorage);

  it('lists what was begun and not closed, of this run only', async () => {
    const { journal } = world().ports;
    const [run, other] = [await world().running(alice), await world().running(alice)];
    await journal.append(alice, other.id, other.fence, [executing('call_9', 'other')]);
    const drafts = [
      executing('call_1', 'fetch'),
      executing('call_2', 'search'),
      thinking('"type":"tool_'),
      toolDone('call_1'),
    ];
    await journal.append(alice, run.id, run.fence, [...drafts, executing('call_3', 'fetch')]);
    expect(await journal.openToolCalls(alice, run.id)).toEqual([
      { callId: 'call_2', tool: 'search' },
      { callId: 'call_3', tool: 'fetch' },
    ]);
    expect(await journal.openToolCalls(bob, run.id)).toEqual([]);
    expect(await journal.openToolCalls(alice, newId('run'))).toEqual([]);
  });
}
