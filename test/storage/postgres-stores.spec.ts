import type { NodeId } from '../../src/shared/ids.js';
import { PostgresBudgetStore } from '../../src/storage/postgres/postgres-budget-store.js';
import { budgetStoreContract } from '../contracts/budget-store.contract.js';
import { messageStoreContract } from '../contracts/message-store.contract.js';
import { operationsStoreContract } from '../contracts/operations-store.contract.js';
import { scheduleStoreContract } from '../contracts/schedule-store.contract.js';
import { alice, StorageWorld, T0 } from '../contracts/storage-world.js';
import { NODE, OTHER_NODE, PostgresWorld } from './postgres-world.js';

let postgres: PostgresWorld;
beforeAll(async () => {
  postgres = await PostgresWorld.start();
});
afterAll(() => postgres.stop());

describe('ScheduleStore on PostgreSQL', () => {
  scheduleStoreContract((clock) => postgres.open(clock));
});
describe('BudgetStore on PostgreSQL', () => {
  budgetStoreContract((clock) => postgres.open(clock));

  describe('of several nodes', () => {
    const call = { key: 'a#1', estimate: { tokens: 10, microUsd: 0 }, limits: {}, atMs: T0 };
    let world: StorageWorld;
    beforeEach(async () => {
      world = await StorageWorld.open((clock) => postgres.open(clock));
    });
    afterEach(() => world.ports.close());
    const reservedNow = async () => (await world.ports.budgets.used(alice, T0)).day.reserved.tokens;

    it('leaves what a living node has reserved alone, whoever looks, and counts it as spent when that node is dead', async () => {
      await postgres.sql(`INSERT INTO nodes (id, role) VALUES ('${NODE}', 'all')`);
      const run = await world.running(alice);
      await world.ports.budgets.reserve(alice, { ...call, runId: run.id });
      const other = new PostgresBudgetStore(postgres.database, { id: OTHER_NODE });
      expect(await other.settleAbandoned(T0 + 1)).toBe(0);
      expect(await reservedNow()).toBe(10);
      await postgres.sql(`UPDATE nodes SET beat_at = clock_timestamp() - interval '13 seconds'`);
      const settled = await Promise.all([other.settleAbandoned(T0 + 1), other.settleAbandoned(T0 + 1)]);
      expect(settled.toSorted()).toEqual([0, 1]);
      expect((await world.ports.budgets.used(alice, T0)).day.spent.tokens).toBe(10);
    });

    it('lets the node that carries on with a run carry on with its reservations', async () => {
      await postgres.sql(`INSERT INTO nodes (id, role) VALUES ('nod_2', 'all')`);
      const run = await world.running(alice);
      await world.ports.budgets.reserve(alice, { ...call, runId: run.id });
      const other = new PostgresBudgetStore(postgres.database, { id: OTHER_NODE });
      expect(await other.reserve(alice, { ...call, runId: run.id })).toBeUndefined();
      expect(await other.settleAbandoned(T0 + 1)).toBe(0);
      expect(await reservedNow()).toBe(10);
    });

    it('lets no more through together than fit', async () => {
      const nodes = [NODE, OTHER_NODE, 'nod_3' as NodeId].map(
        (id) => new PostgresBudgetStore(postgres.database, { id }),
      );
      const limits = { run: { tokens: 100 } };
      // several times: whether two meet is left to chance
      for (let round = 0; round < 12; round++) {
        const run = await world.running(alice);
        const asked = Array.from({ length: 30 }, (_, i) => ({ ...call, runId: run.id, key: `call#${i}` }));
        const answers = await Promise.all(asked.map((one, i) => nodes[i % 3]!.reserve(alice, { ...one, limits })));
        expect(answers.filter((excess) => excess === undefined)).toHaveLength(10);
      }
    });
  });
});
describe('MessageStore on PostgreSQL', () => {
  messageStoreContract((clock) => postgres.open(clock));
});
describe('OperationsStore on PostgreSQL', () => {
  operationsStoreContract((clock) => postgres.open(clock));
});
