import { inBatches } from '../../src/storage/migration/row-batches.js';

/** Rows without an end, of which each is counted when it is read. */
function endless(text: string) {
  const seen = { rows: 0 };
  function* rows() {
    for (;;) yield { n: ++seen.rows, text };
  }
  return { seen, rows: rows() };
}

describe('rows in batches', () => {
  it('are read when they are needed, a thousand at a time', () => {
    const { seen, rows } = endless('short');
    const batches = inBatches(rows);
    for (const read of [1_000, 2_000]) {
      expect(batches.next().value).toHaveLength(1_000);
      expect(seen.rows).toBe(read);
    }
  });

  it('are fewer when they are long, so that memory does not grow with what users write', () => {
    const { seen, rows } = endless('x'.repeat(500_000));
    expect(inBatches(rows).next().value).toHaveLength(4);
    expect(seen.rows).toBe(4);
  });

  it('are all there, once and in their order, and no batch is empty', () => {
    const rows = Array.from({ length: 2_001 }, (_, n) => ({ n }));
    const batches = [...inBatches(rows)];
    expect(batches.map(({ length }) => length)).toEqual([1_000, 1_000, 1]);
    expect(batches.flat()).toEqual(rows);
    expect([...inBatches([])]).toEqual([]);
  });
});
