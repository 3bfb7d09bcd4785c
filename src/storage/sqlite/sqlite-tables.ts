import { CarrelError } from '../../shared/errors.js';
import { ApprovalReader } from './approval-reader.js';
import { ApprovalTable } from './approval-table.js';
import { Backlog } from './backlog.js';
import { BacklogSettler } from './backlog-settler.js';
import { DueReader } from './due-reader.js';
import { EventPruner } from './event-pruner.js';
import { EventReader } from './event-reader.js';
import { EventTable } from './event-table.js';
import { GroupCommit } from './group-commit.js';
import { MessageReader } from './message-reader.js';
import { MessageTable } from './message-table.js';
import { OperationsTable } from './operations-table.js';
import { OversightReader } from './oversight-reader.js';
import { RunReader } from './run-reader.js';
import { RunTable } from './run-table.js';
import { ScheduleTable } from './schedule-table.js';
import type { UserId } from '../../shared/ids.js';
import { SpendTable } from './spend-table.js';
import type { SqliteDatabase } from './sqlite-database.js';
import { StepPruner } from './step-pruner.js';
import { StepReader } from './step-reader.js';
import { StepTable } from './step-table.js';
import { ThreadEraser } from './thread-eraser.js';
import { ThreadReader } from './thread-reader.js';
import { ThreadTable } from './thread-table.js';
import { SPENT_ON_DAYS, USAGE_OF_DAYS } from './usage-table.js';
import { UserTable } from './user-table.js';

/** What the adapters share: one connection, one writer, and every statement prepared once. */
export class SqliteTables {
  readonly backlog: Backlog;
  readonly users: UserTable;
  readonly threads: ThreadTable;
  readonly runs: RunTable;
  readonly approvals: ApprovalTable;
  readonly steps: StepTable;
  readonly events: EventTable;
  readonly schedules: ScheduleTable;
  readonly spend: SpendTable;
  readonly messages: MessageTable;
  readonly operations: OperationsTable;
  readonly dues: DueReader;
  readonly runReader: RunReader;
  readonly stepReader: StepReader;
  readonly approvalReader: ApprovalReader;
  readonly threadReader: ThreadReader;
  readonly messageReader: MessageReader;
  readonly eventReader: EventReader;
  readonly oversight: OversightReader;
  readonly pruner: EventPruner;
  readonly stepPruner: StepPruner;
  readonly eraser: ThreadEraser;
  readonly usageOfDays;
  readonly spentOnDays;
  readonly commits: GroupCommit;

  constructor(private readonly database: SqliteDatabase) {
    this.backlog = new Backlog(database, new BacklogSettler(database));
    // what a process that was killed has left, before anything is counted
    database.transaction(() => this.backlog.settleAll());
    this.users = new UserTable(database, this.backlog);
    this.threads = new ThreadTable(database, this.backlog);
    this.approvals = new ApprovalTable(database);
    this.steps = new StepTable(database, this.backlog);
    this.events = new EventTable(database, this.backlog, this.steps, this.approvals);
    this.runs = new RunTable(database, this.backlog, this.events, this.steps);
    this.schedules = new ScheduleTable(database);
    this.spend = new SpendTable(database);
    this.messages = new MessageTable(database);
    this.operations = new OperationsTable(database);
    this.dues = new DueReader(database);
    this.runReader = new RunReader(database);
    this.stepReader = new StepReader(database);
    this.approvalReader = new ApprovalReader(database);
    this.threadReader = new ThreadReader(database);
    this.messageReader = new MessageReader(database);
    this.eventReader = new EventReader(database);
    this.oversight = new OversightReader(database);
    this.pruner = new EventPruner(database, this.users);
    this.stepPruner = new StepPruner(database);
    this.eraser = new ThreadEraser(database, this.messages);
    this.usageOfDays = database.prepare(USAGE_OF_DAYS);
    this.spentOnDays = database.prepare(SPENT_ON_DAYS);
    this.commits = new GroupCommit(database, this.backlog, () => {
      this.users.forgetAll();
      this.backlog.forget();
    });
  }

  /** Reads what is committed of one user. */
  async readOf<T>(userId: UserId, question: (tables: this) => T): Promise<T> {
    if (this.database.isOpen && this.backlog.has(userId)) await this.commits.whenSettled(userId);
    return this.read(question);
  }

  /** Reads what is committed of everybody. */
  readOfAll<T>(question: (tables: this) => T): T {
    return this.read(() => {
      if (!this.backlog.isEmpty) this.commits.move(() => this.backlog.settleAll());
      return question(this);
    });
  }

  /**
   * Reads what never waits in the backlog: transactions begin and end within one callback of the writer, so none is open here.
   *
   * @throws CarrelError `draining` after the storage was closed
   */
  read<T>(question: (tables: this) => T): T {
    if (!this.database.isOpen) throw new CarrelError('draining', 'The storage is closed');
    return question(this);
  }
}
