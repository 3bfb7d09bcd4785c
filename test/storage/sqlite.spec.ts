import { Logger } from '@nestjs/common';
import type { Clock } from '../../src/shared/clock.js';
import { approvalStoreContract } from '../contracts/approval-store.contract.js';
import { budgetStoreContract } from '../contracts/budget-store.contract.js';
import { eventJournalContract } from '../contracts/event-journal.contract.js';
import { messageStoreContract } from '../contracts/message-store.contract.js';
import { operationsStoreContract, oversightContract } from '../contracts/operations-store.contract.js';
import { runStoreContract } from '../contracts/run-store.contract.js';
import { scheduleStoreContract } from '../contracts/schedule-store.contract.js';
import type { StoragePorts } from '../contracts/storage-world.js';
import { threadStoreContract } from '../contracts/thread-store.contract.js';
import { usageStoreContract } from '../contracts/usage-store.contract.js';
import { portsOf, StorageFolder } from './storage-folder.js';

async function openSqlite(clock: Clock): Promise<StoragePorts> {
  const folder = new StorageFolder();
  return portsOf(folder.open(clock), async () => folder.remove());
}

// the listeners that fail on purpose are logged
beforeAll(() => Logger.overrideLogger(false));

describe('RunStore on SQLite', () => {
  runStoreContract(openSqlite);
});
describe('ThreadStore on SQLite', () => {
  threadStoreContract(openSqlite);
});
describe('UsageStore on SQLite', () => {
  usageStoreContract(openSqlite);
});
describe('EventJournal on SQLite', () => {
  eventJournalContract(openSqlite);
});
describe('ApprovalStore on SQLite', () => {
  approvalStoreContract(openSqlite);
});
describe('ScheduleStore on SQLite', () => {
  scheduleStoreContract(openSqlite);
});
describe('BudgetStore on SQLite', () => {
  budgetStoreContract(openSqlite);
});
describe('MessageStore on SQLite', () => {
  messageStoreContract(openSqlite);
});
describe('OperationsStore on SQLite', () => {
  operationsStoreContract(openSqlite);
  oversightContract(openSqlite);
});
