import { Global, Module } from '@nestjs/common';
import { CARREL_CONFIG, type CarrelConfig } from '../config/config.js';
import { EVENT_JOURNAL } from '../events/event-journal.port.js';
import { APPROVAL_STORE } from '../execution/approval-store.port.js';
import { BUDGET_STORE } from '../execution/models/budget-store.port.js';
import { MESSAGE_STORE } from '../execution/models/message-store.port.js';
import { OPERATIONS_STORE } from '../execution/operations/operations-store.port.js';
import { RUN_STORE } from '../execution/run-store.port.js';
import { SCHEDULE_STORE } from '../execution/schedule-store.port.js';
import { THREAD_STORE } from '../execution/thread-store.port.js';
import { USAGE_STORE } from '../execution/usage-store.port.js';
import { CLOCK, type Clock } from '../shared/clock.js';
import { JournalRetention } from './journal-retention.service.js';
import { SqliteStorage } from './sqlite/sqlite-storage.js';

/**
 * The embedded profile's adapters of the store and journal ports. Global, because Nest shuts global modules down after
 * all others: whatever a module still writes while it stops finds the storage open.
 */
@Global()
@Module({
  providers: [
    {
      provide: SqliteStorage,
      inject: [CARREL_CONFIG, CLOCK],
      useFactory: ({ data }: CarrelConfig, clock: Clock) => new SqliteStorage(data, clock),
    },
    { provide: RUN_STORE, inject: [SqliteStorage], useFactory: ({ runs }: SqliteStorage) => runs },
    { provide: THREAD_STORE, inject: [SqliteStorage], useFactory: ({ threads }: SqliteStorage) => threads },
    { provide: EVENT_JOURNAL, inject: [SqliteStorage], useFactory: ({ journal }: SqliteStorage) => journal },
    { provide: USAGE_STORE, inject: [SqliteStorage], useFactory: ({ usage }: SqliteStorage) => usage },
    { provide: APPROVAL_STORE, inject: [SqliteStorage], useFactory: ({ approvals }: SqliteStorage) => approvals },
    { provide: SCHEDULE_STORE, inject: [SqliteStorage], useFactory: ({ schedules }: SqliteStorage) => schedules },
    { provide: BUDGET_STORE, inject: [SqliteStorage], useFactory: ({ budgets }: SqliteStorage) => budgets },
    { provide: MESSAGE_STORE, inject: [SqliteStorage], useFactory: ({ messages }: SqliteStorage) => messages },
    { provide: OPERATIONS_STORE, inject: [SqliteStorage], useFactory: ({ operations }: SqliteStorage) => operations },
    JournalRetention,
  ],
  exports: [
    RUN_STORE,
    THREAD_STORE,
    EVENT_JOURNAL,
    USAGE_STORE,
    APPROVAL_STORE,
    SCHEDULE_STORE,
    BUDGET_STORE,
    MESSAGE_STORE,
    OPERATIONS_STORE,
  ],
})
export class StorageModule {}
