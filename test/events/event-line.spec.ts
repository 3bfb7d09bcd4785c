import fc from 'fast-check';
import { EventLine } from '../../src/events/event-line.js';
import type { JournalledEvent } from '../../src/events/run-event.js';
import { newId } from '../../src/shared/ids.js';
import { alice, HeldClock } from '../contracts/storage-world.js';

const eventOf = (seq: number): JournalledEvent => ({
  userId: alice,
  runId: newId('run'),
  type: 'agent_thinking',
  seq,
  json: '{}',
});

function lineOf() {
  const clock = new HeldClock();
  const passed: number[] = [];
  const behind: number[] = [];
  const ends = { pass: ({ seq }: JournalledEvent) => passed.push(seq), behind: (seq: number) => behind.push(seq) };
  return { clock, passed, behind, line: new EventLine(ends, clock) };
}

describe("a user's events from several nodes", () => {
  it('are passed in order when they come in another, and none twice', () => {
    const { line, passed, behind, clock } = lineOf();
    line.journalHas(3);
    for (const seq of [6, 5, 6, 4, 2, 5, 7]) line.take(eventOf(seq));
    expect(passed).toEqual([4, 5, 6, 7]);
    expect(behind).toEqual([3]);
    expect(clock.pending).toEqual([]);
  });

  it('are left to the journal, up to the last that is known, when one stays away for a while', () => {
    const { line, passed, behind, clock } = lineOf();
    line.journalHas(0);
    for (const seq of [1, 3, 5]) line.take(eventOf(seq));
    expect(passed).toEqual([1]);
    clock.advance(25);
    expect(behind).toEqual([0, 5]);
    for (const seq of [2, 4, 5, 6]) line.take(eventOf(seq));
    expect(passed).toEqual([1, 6]);
  });

  it('are left to the journal when too many wait for one', () => {
    const { line, passed, behind } = lineOf();
    line.journalHas(0);
    for (let seq = 2; seq <= 258; seq++) line.take(eventOf(seq));
    expect(behind).toEqual([0, 258]);
    line.take(eventOf(259));
    expect(passed).toEqual([259]);
  });

  it('are in doubt until somebody has looked into the journal, even if some were passed', () => {
    const { line, passed, behind } = lineOf();
    line.take(eventOf(8));
    line.take(eventOf(9));
    line.journalHas(9);
    line.journalHas(9);
    expect(passed).toEqual([8, 9]);
    expect(behind).toEqual([9]);
  });

  it('are each passed once or left to the journal, whatever is lost, late, twice or out of order', () => {
    const step = fc.oneof(
      { weight: 8, arbitrary: fc.record({ take: fc.integer({ min: 1, max: 30 }) }) },
      { weight: 1, arbitrary: fc.record({ wait: fc.integer({ min: 1, max: 40 }) }) },
      { weight: 1, arbitrary: fc.record({ look: fc.constant(true) }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const { line, passed, behind, clock } = lineOf();
        let newest = 0;
        line.journalHas(0);
        for (const each of steps) {
          if ('take' in each) {
            newest = Math.max(newest, each.take);
            line.take(eventOf(each.take));
          } else if ('wait' in each) clock.advance(each.wait);
          else line.journalHas(newest);
        }
        clock.advance(100);
        expect(passed).toEqual([...new Set(passed)].toSorted((a, b) => a - b));
        const known = Math.max(0, ...passed, ...behind);
        expect(known).toBe(newest);
        // what was not passed is before something that sends the reader to the journal
        for (let seq = 1; seq <= newest; seq++) {
          if (!passed.includes(seq)) expect(behind.some((upTo) => upTo >= seq)).toBe(true);
        }
      }),
    );
  });
});
