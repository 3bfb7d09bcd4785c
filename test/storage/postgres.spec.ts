import { Logger } from '@nestjs/common';
import { approvalStoreContract } from '../contracts/approval-store.contract.js';
import { eventJournalContract } from '../contracts/event-journal.contract.js';
import { oversightContract } from '../contracts/operations-store.contract.js';
import { runStoreContract } from '../contracts/run-store.contract.js';
import { threadStoreContract } from '../contracts/thread-store.contract.js';
import { usageStoreContract } from '../contracts/usage-store.contract.js';
import { PostgresWorld } from './postgres-world.js';

let postgres: PostgresWorld;
beforeAll(async () => {
  // the listeners that fail on purpose are logged
  Logger.overrideLogger(false);
  postgres = await PostgresWorld.start();
});
afterAll(() => postgres.stop());

describe('RunStore on PostgreSQL', () => {
  runStoreContract((clock) => postgres.open(clock));
});
describe('EventJournal on PostgreSQL', () => {
  eventJournalContract((clock) => postgres.open(clock));
});
describe('ApprovalStore on PostgreSQL', () => {
  approvalStoreContract((clock) => postgres.open(clock));
});
describe('ThreadStore on PostgreSQL', () => {
  threadStoreContract((clock) => postgres.open(clock));
});
describe('UsageStore on PostgreSQL', () => {
  usageStoreContract((clock) => postgres.open(clock));
});
describe('what operators ask, on PostgreSQL', () => {
  oversightContract((clock) => postgres.open(clock));
});
