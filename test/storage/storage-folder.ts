import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../src/shared/clock.js';
import { SqliteStorage } from '../../src/storage/sqlite/sqlite-storage.js';
import type { StoragePorts } from '../contracts/storage-world.js';

/** A data folder of its own for a test, in which storages can be opened one after the other. */
export class StorageFolder {
  private readonly base = mkdtempSync(join(tmpdir(), 'carrel-storage-'));
  readonly dir = join(this.base, 'data');
  private readonly opened: SqliteStorage[] = [];

  open(clock: Clock): SqliteStorage {
    const storage = new SqliteStorage({ dir: this.dir, sync: 'normal' }, clock);
    this.opened.push(storage);
    return storage;
  }

  get file(): string {
    return join(this.dir, 'carrel.db');
  }

  remove(): void {
    for (const storage of this.opened) storage.close();
    rmSync(this.base, { recursive: true });
  }
}

/** The ports of a storage. */
export function portsOf(storage: SqliteStorage, close = async () => storage.close()): StoragePorts {
  const { runs, threads, journal, usage, approvals, schedules, budgets, messages, operations } = storage;
  return { runs, threads, journal, usage, approvals, schedules, budgets, messages, operations, close };
}
