import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../src/shared/clock.js';
import { SqliteStorage } from '../../src/storage/sqlite-storage.js';
import { eventJournalContract } from '../contracts/event-journal.contract.js';
import { runStoreContract } from '../contracts/run-store.contract.js';
import type { StoragePorts } from '../contracts/storage-world.js';
import { threadStoreContract } from '../contracts/thread-store.contract.js';

async function openSqlite(clock: Clock): Promise<StoragePorts> {
  const dir = mkdtempSync(join(tmpdir(), 'carrel-storage-'));
  const storage = new SqliteStorage({ dir, sync: 'normal' }, clock);
  const { runs, threads, journal } = storage;
  const close = async () => {
    storage.close();
    rmSync(dir, { recursive: true });
  };
  return { runs, threads, journal, close };
}

describe('RunStore on SQLite', () => runStoreContract(openSqlite));
describe('ThreadStore on SQLite', () => threadStoreContract(openSqlite));
describe('EventJournal on SQLite', () => eventJournalContract(openSqlite));
