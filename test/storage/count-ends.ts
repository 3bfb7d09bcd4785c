import type { Transaction } from '../../src/storage/postgres/postgres-database.js';
import { usageRowsOf, type EndedRun } from '../../src/storage/postgres/usage-table.js';
import { columnsOf, statementOf } from '../../src/storage/postgres/write-parts.js';

/** Counts ends as a batch does, without the runs. */
export async function countEnds(transaction: Transaction, ends: readonly EndedRun[]): Promise<void> {
  const rows = await usageRowsOf(transaction, ends);
  if (rows.length > 0) transaction.send(statementOf(['usage']), columnsOf('usage', rows));
}
