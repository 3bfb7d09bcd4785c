import type { Row } from './moved-tables.js';

/** What one statement writes at most, so that memory does not grow with the data. */
const MAX_ROWS = 1_000;
const MAX_CHARACTERS = 2_000_000;

/** Rows in batches that are small enough to be sent at once. A row that is larger than a batch is a batch of its own. */
export function* inBatches<T extends object = Row>(rows: Iterable<T>): Generator<T[]> {
  let batch: T[] = [];
  let characters = 0;
  for (const row of rows) {
    batch.push(row);
    characters += charactersOf(row);
    if (batch.length < MAX_ROWS && characters < MAX_CHARACTERS) continue;
    yield batch;
    batch = [];
    characters = 0;
  }
  if (batch.length > 0) yield batch;
}

function charactersOf(row: object): number {
  let sum = 0;
  for (const value of Object.values(row)) if (typeof value === 'string') sum += value.length;
  return sum;
}
