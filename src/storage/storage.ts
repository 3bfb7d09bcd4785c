import type { OnApplicationShutdown } from '@nestjs/common';
import type { EventJournal } from '../events/event-journal.port.js';
import type { ApprovalStore } from '../execution/approval-store.port.js';
import type { BudgetStore } from '../execution/models/budget-store.port.js';
import type { MessageStore } from '../execution/models/message-store.port.js';
import type { NodeRegistry } from '../execution/node-registry.port.js';
import type { OperationsStore } from '../execution/operations/operations-store.port.js';
import type { RunStore } from '../execution/run-store.port.js';
import type { ScheduleStore } from '../execution/schedule-store.port.js';
import type { ThreadStore } from '../execution/thread-store.port.js';
import type { UsageStore } from '../execution/usage-store.port.js';

/** All store and journal ports of one profile. */
export interface Storage extends OnApplicationShutdown {
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
}
