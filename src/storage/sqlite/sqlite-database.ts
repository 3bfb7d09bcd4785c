import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { CarrelError } from '../../shared/errors.js';
import { MIGRATIONS } from './sqlite-migrations.js';

export interface SqliteOptions {
  /** The data folder; made when it is not there. */
  dir: string;
  /** `full`: a commit survives a power cut; `normal`: it survives the end of the process. */
  sync: 'full' | 'normal';
}

/** What SQLite says in these cases (https://sqlite.org/rescode.html). */
const SQLITE_BUSY = 5;
const SQLITE_NOTADB = 26;

/** Pages that the log may hold before they are moved into the file: moving many at once writes each page only once. */
const CHECKPOINT_PAGES = 8_000;
const CACHE_KIB = 64 * 1_024;

/**
 * The one connection to `carrel.db`, which belongs to this process alone while it is open. The operating system drops
 * the lock with the process, so nothing is left to clean up after a crash.
 */
export class SqliteDatabase {
  private readonly connection: DatabaseSync;

  /** @throws CarrelError `data_locked` | `incompatible_data` | `invalid_config` */
  constructor(private readonly options: SqliteOptions) {
    this.connection = this.explained(() => openPrivate(options.dir));
    try {
      this.explained(() => this.takeOver());
      this.migrate();
    } catch (error) {
      this.connection.close();
      throw error;
    }
  }

  get isOpen(): boolean {
    return this.connection.isOpen;
  }

  prepare(sql: string): StatementSync {
    return this.connection.prepare(sql);
  }

  /** Runs `work` in one transaction, which is rolled back when it throws. */
  transaction<T>(work: () => T): T {
    this.connection.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.connection.exec('COMMIT');
      return result;
    } catch (error) {
      // some failures (a full disk) have ended the transaction already
      if (this.connection.isTransaction) this.connection.exec('ROLLBACK');
      throw error;
    }
  }

  /**
   * As `transaction`, without waiting for the disk: what the transaction did may be undone by a power cut, until the next one
   * that does wait. For work that is done again then.
   */
  relaxedTransaction<T>(work: () => T): T {
    if (this.options.sync === 'normal') return this.transaction(work);
    this.connection.exec('PRAGMA synchronous = NORMAL');
    try {
      return this.transaction(work);
    } finally {
      this.connection.exec('PRAGMA synchronous = FULL');
    }
  }

  /** Moves the log into the file and gives the data folder free. May be called again. */
  close(): void {
    if (this.connection.isOpen) this.connection.close();
  }

  /**
   * The order matters: exclusive before the first access, so that the log's index lives in memory and not in a shared file.
   * What is removed, or moved on to another table, is overwritten: no page keeps a copy that nothing could find later. The log
   * may have older ones until it is written over.
   */
  private takeOver(): void {
    this.connection.exec(`
      PRAGMA locking_mode = EXCLUSIVE;
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = ${this.options.sync === 'full' ? 'FULL' : 'NORMAL'};
      PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES};
      PRAGMA cache_size = -${CACHE_KIB};
      PRAGMA temp_store = MEMORY;
      PRAGMA secure_delete = ON;
      BEGIN IMMEDIATE;
      COMMIT;
    `);
  }

  private migrate(): void {
    const version = Number(this.connection.prepare('PRAGMA user_version').get()?.user_version);
    if (version > MIGRATIONS.length) {
      throw new CarrelError(
        'incompatible_data',
        `The data folder ${this.options.dir} was written by a newer version of Carrel (schema ${version}, ` +
          `this one knows ${MIGRATIONS.length}). Start that version, or choose another folder (CARREL_DATA_DIR)`,
      );
    }
    for (const [index, sql] of MIGRATIONS.entries()) {
      if (index < version) continue;
      this.transaction(() => this.connection.exec(`${sql}; PRAGMA user_version = ${index + 1}`));
    }
  }

  private explained<T>(open: () => T): T {
    try {
      return open();
    } catch (error) {
      throw explain(error, this.options.dir);
    }
  }
}

/** Makes folder and file for the owner only; SQLite gives the log beside the file the same mode. */
function openPrivate(dir: string): DatabaseSync {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const path = join(dir, 'carrel.db');
  closeSync(openSync(path, 'a', 0o600));
  return new DatabaseSync(path, { enableForeignKeyConstraints: false });
}

function explain(cause: unknown, dir: string): unknown {
  const { errcode, code } = cause as { errcode?: number; code?: string };
  if (errcode === SQLITE_BUSY) {
    return new CarrelError(
      'data_locked',
      `The data folder ${dir} is in use by another process. Stop that process, or choose another folder (CARREL_DATA_DIR)`,
      { cause },
    );
  }
  if (errcode === SQLITE_NOTADB) {
    return new CarrelError(
      'incompatible_data',
      `carrel.db in the data folder ${dir} is not a database of Carrel. Move it away, or choose another folder (CARREL_DATA_DIR)`,
      { cause },
    );
  }
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new CarrelError(
    'invalid_config',
    `The data folder ${dir} can't be used (${code ?? 'error'}: ${reason}). Make it writable, or choose another one (CARREL_DATA_DIR)`,
    { cause },
  );
}
