import type { EventJournal } from '../../events/event-journal.port.js';
import type { ApprovalStore } from '../../execution/approval-store.port.js';
import type { BudgetStore } from '../../execution/models/budget-store.port.js';
import type { MessageStore } from '../../execution/models/message-store.port.js';
import type { NodeRegistry } from '../../execution/node-registry.port.js';
import type { OperationsStore } from '../../execution/operations/operations-store.port.js';
import type { RunStore } from '../../execution/run-store.port.js';
import type { ScheduleStore } from '../../execution/schedule-store.port.js';
import type { ThreadStore } from '../../execution/thread-store.port.js';
import type { UsageStore } from '../../execution/usage-store.port.js';
import type { Clock } from '../../shared/clock.js';
import { SingleNodeRegistry } from '../single-node.registry.js';
import type { Storage } from '../storage.js';
import { SqliteApprovalStore } from './sqlite-approval-store.js';
import { SqliteBudgetStore } from './sqlite-budget-store.js';
import { SqliteDatabase, type SqliteOptions } from './sqlite-database.js';
import { SqliteEventJournal } from './sqlite-event-journal.js';
import { SqliteMessageStore } from './sqlite-message-store.js';
import { SqliteOperationsStore } from './sqlite-operations-store.js';
import { SqliteRunStore } from './sqlite-run-store.js';
import { SqliteScheduleStore } from './sqlite-schedule-store.js';
import { SqliteTables } from './sqlite-tables.js';
import { SqliteThreadStore } from './sqlite-thread-store.js';
import { SqliteUsageStore } from './sqlite-usage-store.js';

/** The embedded storage: all ports on one file in the data folder, which belongs to this process until it is closed. */
export class SqliteStorage implements Storage {
  readonly runs: RunStore;
  readonly threads: ThreadStore;
  readonly journal: EventJournal;
  readonly usage: UsageStore;
  readonly approvals: ApprovalStore;
  readonly schedules: ScheduleStore;
  readonly budgets: BudgetStore;
  readonly messages: MessageStore;
  readonly operations: OperationsStore;
  readonly nodes: NodeRegistry;
  private readonly database: SqliteDatabase;
  private readonly tables: SqliteTables;

  /** @throws CarrelError `data_locked` | `incompatible_data` | `invalid_config` */
  constructor(options: SqliteOptions, clock: Clock) {
    this.database = new SqliteDatabase(options);
    this.tables = new SqliteTables(this.database);
    this.runs = new SqliteRunStore(this.tables, clock);
    this.threads = new SqliteThreadStore(this.tables, clock);
    this.journal = new SqliteEventJournal(this.tables, clock);
    this.usage = new SqliteUsageStore(this.tables);
    this.approvals = new SqliteApprovalStore(this.tables, clock);
    this.schedules = new SqliteScheduleStore(this.tables, clock);
    this.budgets = new SqliteBudgetStore(this.tables, clock);
    this.messages = new SqliteMessageStore(this.tables, clock);
    this.operations = new SqliteOperationsStore(this.tables);
    this.nodes = new SingleNodeRegistry(clock);
  }

  /** Commits what was asked for, then gives the data folder free. Later calls of the ports reject with `draining`. */
  close(): void {
    if (!this.database.isOpen) return;
    this.tables.commits.stop();
    this.database.close();
  }

  onApplicationShutdown(): void {
    this.close();
  }
}
