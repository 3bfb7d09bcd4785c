import type { Clock } from '../../shared/clock.js';
import type { NodeIdentity } from '../../execution/node-identity.js';
import type { Storage } from '../storage.js';
import { PostgresApprovalStore } from './postgres-approval-store.js';
import { PostgresBudgetStore } from './postgres-budget-store.js';
import { PostgresCommits } from './postgres-commits.js';
import { PostgresDatabase, type PostgresOptions } from './postgres-database.js';
import { PostgresEventJournal } from './postgres-event-journal.js';
import { PostgresMessageStore } from './postgres-message-store.js';
import { PostgresNodes } from './postgres-nodes.js';
import { PostgresOperationsStore } from './postgres-operations-store.js';
import { PostgresRunStore } from './postgres-run-store.js';
import { PostgresScheduleStore } from './postgres-schedule-store.js';
import { PostgresThreadStore } from './postgres-thread-store.js';
import { PostgresUsageStore } from './postgres-usage-store.js';

/** The distributed storage: all ports on one database, which any number of processes share. */
export class PostgresStorage implements Storage {
  readonly runs: PostgresRunStore;
  readonly threads: PostgresThreadStore;
  readonly journal: PostgresEventJournal;
  readonly usage: PostgresUsageStore;
  readonly approvals: PostgresApprovalStore;
  readonly schedules: PostgresScheduleStore;
  readonly budgets: PostgresBudgetStore;
  readonly messages: PostgresMessageStore;
  readonly operations: PostgresOperationsStore;
  readonly nodes: PostgresNodes;

  private constructor(
    private readonly database: PostgresDatabase,
    private readonly commits: PostgresCommits,
    node: NodeIdentity,
    clock: Clock,
  ) {
    this.runs = new PostgresRunStore(database, commits, clock);
    this.threads = new PostgresThreadStore(database);
    this.journal = new PostgresEventJournal(database, commits, clock);
    this.usage = new PostgresUsageStore(database);
    this.approvals = new PostgresApprovalStore(database, commits, clock);
    this.schedules = new PostgresScheduleStore(database);
    this.budgets = new PostgresBudgetStore(database, node);
    this.messages = new PostgresMessageStore(database);
    this.operations = new PostgresOperationsStore(database);
    this.nodes = new PostgresNodes(database);
  }

  /**
   * @param node this process
   * @throws CarrelError `database_unavailable` | `invalid_config` | `unsupported_database` | `incompatible_data`
   */
  static async open(options: PostgresOptions, node: NodeIdentity, clock: Clock): Promise<PostgresStorage> {
    return PostgresStorage.on(await PostgresDatabase.open(options), node, clock);
  }

  /** On a database that is open already. */
  static async on(database: PostgresDatabase, node: NodeIdentity, clock: Clock): Promise<PostgresStorage> {
    const commits = new PostgresCommits(database, node);
    await commits.join();
    return new PostgresStorage(database, commits, node, clock);
  }

  /** Commits what was asked for, then lets the connections go. Later calls of the ports reject with `draining`. */
  async close(): Promise<void> {
    await this.commits.stop();
    await this.database.close();
  }

  onApplicationShutdown(): Promise<void> {
    return this.close();
  }
}
