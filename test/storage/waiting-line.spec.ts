import * as fc from 'fast-check';
import type { RunId } from '../../src/shared/ids.js';
import { WaitingLine } from '../../src/storage/waiting-line.js';

const member = fc.record({ id: fc.stringMatching(/^run_[a-f]{1,3}$/), priority: fc.integer({ min: -1, max: 1 }) });

describe('the line of a lane', () => {
  it('is in the order of the priorities, then of the ids, whoever comes and goes', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(member, fc.boolean())), (moves) => {
        const line = new WaitingLine();
        const inLine = new Map<string, { id: RunId; priority: number }>();
        for (const [{ id, priority }, comes] of moves) {
          const known = inLine.get(id);
          if (comes && !known) {
            const one = { id: id as RunId, priority };
            inLine.set(id, one);
            line.add(one);
          } else if (!comes && known) {
            inLine.delete(id);
            line.remove(known);
          }
          const sorted = [...inLine.values()].toSorted((a, b) => b.priority - a.priority || (a.id < b.id ? -1 : 1));
          expect([line.size, line.first]).toEqual([sorted.length, sorted[0]?.id]);
          expect(line.before(0)).toBe(sorted.filter((one) => one.priority >= 0).length);
        }
      }),
    );
  });

  it('refuses to let go of a run that is not in it', () => {
    const line = new WaitingLine();
    line.add({ id: 'run_b' as RunId, priority: 0 });
    for (const id of ['run_a', 'run_c'] as RunId[]) {
      expect(() => line.remove({ id, priority: 0 })).toThrow(`${id} is not in the line`);
    }
  });
});
