import type {
  AuditEntry,
  BusyUser,
  KillSwitch,
  LaneLoad,
  OperationsStore,
  QuietRun,
  SwitchSubject,
} from '../../execution/operations/operations-store.port.js';
import type { RunRef } from '../../execution/run-store.port.js';
import { CarrelError } from '../../shared/errors.js';
import type { RunId } from '../../shared/ids.js';
import { busiest } from '../operations-row.js';
import type { SqliteTables } from './sqlite-tables.js';

type Page = { limit: number; cursor?: string };

/** The embedded adapter of `OperationsStore`. */
export class SqliteOperationsStore implements OperationsStore {
  constructor(private readonly tables: SqliteTables) {}

  async switches(): Promise<readonly KillSwitch[]> {
    return this.tables.read(({ operations }) => operations.switches());
  }

  setSwitch(killSwitch: KillSwitch, entry: AuditEntry, limit: number): Promise<void> {
    return this.tables.commits.write(() => {
      const { operations } = this.tables;
      if (operations.countOthers(killSwitch) >= limit) throw new CarrelError('too_many_switches');
      operations.set(killSwitch);
      operations.record(entry);
    });
  }

  unsetSwitch(subject: SwitchSubject, entry: AuditEntry): Promise<boolean> {
    return this.tables.commits.write(() => {
      const { operations } = this.tables;
      const wasSet = operations.unset(subject);
      if (wasSet) operations.record(entry);
      return wasSet;
    });
  }

  record(entry: AuditEntry): Promise<void> {
    return this.tables.commits.write(() => this.tables.operations.record(entry));
  }

  async audit(page: Page): Promise<{ items: readonly AuditEntry[]; nextCursor?: string }> {
    return this.tables.read(({ operations }) => operations.audit(page));
  }

  pruneAudit(before: Date, limit: number): Promise<number> {
    return this.tables.commits.write(() => this.tables.operations.prune(before.getTime(), limit));
  }

  async load(): Promise<LaneLoad> {
    return this.tables.readOfAll(({ oversight }) => oversight.load());
  }

  async busyUsers(page: Page): Promise<{ items: readonly BusyUser[]; nextCursor?: string }> {
    return busiest(
      this.tables.readOfAll(({ oversight }) => oversight.busyUsers()),
      page,
    );
  }

  async quietRuns(sinceMs: number, limit: number): Promise<readonly QuietRun[]> {
    return this.tables.readOfAll(({ oversight }) => oversight.quietRuns(sinceMs, limit));
  }

  async placedRunsOf(agent: string, after: RunId | undefined, limit: number): Promise<readonly RunRef[]> {
    return this.tables.readOfAll(({ oversight }) => oversight.placedRunsOf(agent, after, limit));
  }
}
