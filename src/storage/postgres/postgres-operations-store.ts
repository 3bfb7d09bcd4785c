import type {
  AuditEntry,
  BusyUser,
  KillSwitch,
  LaneLoad,
  OperationsStore,
  QuietRun,
  SwitchSubject,
} from '../../execution/operations/operations-store.port.js';
import type { RunStatus } from '../../execution/run-status.js';
import type { RunRef } from '../../execution/run-store.port.js';
import { CarrelError } from '../../shared/errors.js';
import type { RunId, UserId } from '../../shared/ids.js';
import { auditEntryFromRow, busiest, killSwitchFromRow, type AuditRow, type KillSwitchRow } from '../operations-row.js';
import * as statements from './operations-statements.js';
import type { PostgresDatabase, Queryable } from './postgres-database.js';

type Page = { limit: number; cursor?: string };
interface PlacedRow {
  user_id: UserId;
  id: RunId;
}
interface QuietRow extends PlacedRow {
  agent: string;
  status: RunStatus;
  attempt: number;
  last_sign: number;
}

/** The distributed adapter of `OperationsStore`. */
export class PostgresOperationsStore implements OperationsStore {
  constructor(private readonly database: PostgresDatabase) {}

  async switches(): Promise<readonly KillSwitch[]> {
    return (await this.database.query<KillSwitchRow>(statements.SWITCHES)).map(killSwitchFromRow);
  }

  setSwitch(killSwitch: KillSwitch, entry: AuditEntry, limit: number): Promise<void> {
    const { kind, name, reason, by, atMs } = killSwitch;
    return this.database.transaction(async (connection) => {
      await connection.query(statements.LOCK_SWITCHES);
      const [others] = await connection.query<{ n: number }>(statements.OTHER_SWITCHES, [kind, name]);
      if (others!.n >= limit) throw new CarrelError('too_many_switches');
      await connection.query(statements.SET_SWITCH, [kind, name, reason, by, atMs]);
      await write(connection, entry);
    });
  }

  unsetSwitch({ kind, name }: SwitchSubject, entry: AuditEntry): Promise<boolean> {
    return this.database.transaction(async (connection) => {
      const removed = await connection.query(statements.UNSET_SWITCH, [kind, name]);
      if (removed.length > 0) await write(connection, entry);
      return removed.length > 0;
    });
  }

  record(entry: AuditEntry): Promise<void> {
    return write(this.database, entry);
  }

  async audit({ limit, cursor }: Page): Promise<{ items: readonly AuditEntry[]; nextCursor?: string }> {
    const rows = await this.database.query<AuditRow>(statements.AUDIT, [cursor ?? null, limit + 1]);
    const items = rows.slice(0, limit).map(auditEntryFromRow);
    return rows.length > limit ? { items, nextCursor: items.at(-1)?.id } : { items };
  }

  async pruneAudit(before: Date, limit: number): Promise<number> {
    return (await this.database.query(statements.PRUNE_AUDIT, [before.getTime(), limit])).length;
  }

  async load(): Promise<LaneLoad> {
    const [row] = await this.database.query<{ placed: number; waiting: number; oldest: number | null }>(
      statements.LOAD,
    );
    return { placed: row!.placed, waiting: row!.waiting, oldestUnclaimedMs: row!.oldest ?? undefined };
  }

  async busyUsers(page: Page): Promise<{ items: readonly BusyUser[]; nextCursor?: string }> {
    const rows = await this.database.query<{ user_id: UserId; running: number; waiting: number }>(
      statements.BUSY_USERS,
    );
    const users = rows.map(({ user_id, running, waiting }) => ({ userId: user_id, running, waiting }));
    return busiest(users, page);
  }

  async quietRuns(sinceMs: number, limit: number): Promise<readonly QuietRun[]> {
    const rows = await this.database.query<QuietRow>(statements.QUIET_RUNS, [sinceMs, limit]);
    return rows.map(({ user_id, id, last_sign, ...row }) => ({
      ...row,
      userId: user_id,
      runId: id,
      lastSignMs: last_sign,
    }));
  }

  async placedRunsOf(agent: string, after: RunId | undefined, limit: number): Promise<readonly RunRef[]> {
    const rows = await this.database.query<PlacedRow>(statements.PLACED_OF_AGENT, [agent, after ?? null, limit]);
    return rows.map(({ user_id, id }) => ({ userId: user_id, runId: id }));
  }
}

async function write(connection: Queryable, { id, atMs, by, action, subject, details }: AuditEntry): Promise<void> {
  const values = [id, atMs, by, action, subject.kind, subject.name, JSON.stringify(details)];
  await connection.query(statements.RECORD, values);
}
