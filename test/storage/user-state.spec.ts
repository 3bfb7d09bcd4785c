import * as fc from 'fast-check';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SqliteApprovalStore } from '../../src/storage/sqlite/sqlite-approval-store.js';
import { SqliteBudgetStore } from '../../src/storage/sqlite/sqlite-budget-store.js';
import { SqliteDatabase } from '../../src/storage/sqlite/sqlite-database.js';
import { SqliteEventJournal } from '../../src/storage/sqlite/sqlite-event-journal.js';
import { SqliteMessageStore } from '../../src/storage/sqlite/sqlite-message-store.js';
import { SqliteOperationsStore } from '../../src/storage/sqlite/sqlite-operations-store.js';
import { SqliteRunStore } from '../../src/storage/sqlite/sqlite-run-store.js';
import { SqliteScheduleStore } from '../../src/storage/sqlite/sqlite-schedule-store.js';
import { SqliteTables } from '../../src/storage/sqlite/sqlite-tables.js';
import { SqliteThreadStore } from '../../src/storage/sqlite/sqlite-thread-store.js';
import { SqliteUsageStore } from '../../src/storage/sqlite/sqlite-usage-store.js';
import { UserTable } from '../../src/storage/sqlite/user-table.js';
import { history, HISTORY_USERS, LaneHistory } from '../contracts/lane-history.js';
import { HeldClock, StorageWorld } from '../contracts/storage-world.js';

/** A storage whose memory can be looked into. */
function openGlass(dir: string) {
  const clock = new HeldClock();
  const database = new SqliteDatabase({ dir, sync: 'normal' });
  const tables = new SqliteTables(database);
  const ports = {
    runs: new SqliteRunStore(tables, clock),
    threads: new SqliteThreadStore(tables, clock),
    journal: new SqliteEventJournal(tables, clock),
    usage: new SqliteUsageStore(tables),
    approvals: new SqliteApprovalStore(tables, clock),
    schedules: new SqliteScheduleStore(tables, clock),
    budgets: new SqliteBudgetStore(tables, clock),
    messages: new SqliteMessageStore(tables, clock),
    operations: new SqliteOperationsStore(tables),
    close: async () => database.close(),
  };
  return { database, tables, clock, world: Object.assign(new StorageWorld(ports), { clock }) };
}

describe('what is remembered of a user', () => {
  it('is what a recount gives, whatever has happened', async () => {
    await fc.assert(
      fc.asyncProperty(history, async (steps) => {
        const dir = mkdtempSync(join(tmpdir(), 'carrel-users-'));
        const { database, tables, clock, world } = openGlass(dir);
        const played = new LaneHistory(world);
        for (const one of steps) await played.play(one);
        await played.settle();
        for (const id of HISTORY_USERS) {
          // the window begins with the commit, and after a recount with the request: the clock may have moved in between
          const { live, windowStartMs: _, ...remembered } = tables.users.load(id, clock.now());
          const {
            live: __,
            windowStartMs: ___,
            ...counted
          } = new UserTable(database, tables.backlog).load(id, clock.now());
          expect(remembered).toEqual(counted);
          // runs that rest may rest for days: nothing is kept in memory of them
          for (const run of live.values()) expect(run.status).not.toBe('suspended');
        }
        await world.ports.close();
        rmSync(dir, { recursive: true });
      }),
      { numRuns: 200, endOnFailure: true },
    );
  });
});
