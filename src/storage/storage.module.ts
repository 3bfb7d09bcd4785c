import { Global, Module, type FactoryProvider } from '@nestjs/common';
import { CARREL_CONFIG, type CarrelConfig } from '../config/config.js';
import { EVENT_JOURNAL } from '../events/event-journal.port.js';
import { APPROVAL_STORE } from '../execution/approval-store.port.js';
import { BUDGET_STORE } from '../execution/models/budget-store.port.js';
import { MESSAGE_STORE } from '../execution/models/message-store.port.js';
import { NodeIdentity } from '../execution/node-identity.js';
import { NODE_REGISTRY } from '../execution/node-registry.port.js';
import { OPERATIONS_STORE } from '../execution/operations/operations-store.port.js';
import { RUN_STORE } from '../execution/run-store.port.js';
import { SCHEDULE_STORE } from '../execution/schedule-store.port.js';
import { THREAD_STORE } from '../execution/thread-store.port.js';
import { USAGE_STORE } from '../execution/usage-store.port.js';
import { CLOCK, type Clock } from '../shared/clock.js';
import { JournalRetention } from './journal-retention.service.js';
import type { Storage } from './storage.js';

/** All ports of the profile's storage together. */
export const STORAGE = Symbol('STORAGE');

const PORTS: Readonly<Record<keyof Omit<Storage, 'onApplicationShutdown'>, symbol>> = {
  runs: RUN_STORE,
  threads: THREAD_STORE,
  journal: EVENT_JOURNAL,
  usage: USAGE_STORE,
  approvals: APPROVAL_STORE,
  schedules: SCHEDULE_STORE,
  budgets: BUDGET_STORE,
  messages: MESSAGE_STORE,
  operations: OPERATIONS_STORE,
  nodes: NODE_REGISTRY,
};

/**
 * The adapters of the store and journal ports: those of the profile. Global, because Nest shuts global modules down after
 * all others: whatever a module still writes while it stops finds the storage open.
 */
@Global()
@Module({
  providers: [
    NodeIdentity,
    { provide: STORAGE, inject: [CARREL_CONFIG, CLOCK, NodeIdentity], useFactory: openStorage },
    ...Object.entries(PORTS).map(([name, port]): FactoryProvider => ({
      provide: port,
      inject: [STORAGE],
      useFactory: (storage: Storage) => storage[name as keyof typeof PORTS],
    })),
    JournalRetention,
  ],
  exports: [NodeIdentity, ...Object.values(PORTS)],
})
export class StorageModule {}

/** Only the profile's own adapter, and its driver, are loaded. */
async function openStorage({ profile, data }: CarrelConfig, clock: Clock, node: NodeIdentity): Promise<Storage> {
  if (profile.kind === 'distributed') {
    const { PostgresStorage } = await import('./postgres/postgres-storage.js');
    return PostgresStorage.open({ url: profile.databaseUrl }, node, clock);
  }
  const { SqliteStorage } = await import('./sqlite/sqlite-storage.js');
  return new SqliteStorage(data, clock);
}
