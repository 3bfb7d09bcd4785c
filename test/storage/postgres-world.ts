import type { Clock } from '../../src/shared/clock.js';
import type { NodeId } from '../../src/shared/ids.js';
import { PostgresBudgetStore } from '../../src/storage/postgres/postgres-budget-store.js';
import { PostgresDatabase } from '../../src/storage/postgres/postgres-database.js';
import { PostgresMessageStore } from '../../src/storage/postgres/postgres-message-store.js';
import { PostgresOperationsStore } from '../../src/storage/postgres/postgres-operations-store.js';
import { PostgresScheduleStore } from '../../src/storage/postgres/postgres-schedule-store.js';
import { PostgresThreadStore } from '../../src/storage/postgres/postgres-thread-store.js';
import { PostgresUsageStore } from '../../src/storage/postgres/postgres-usage-store.js';
import { pruneSteps } from '../../src/storage/postgres/step-pruner.js';
import type { StoragePorts } from '../contracts/storage-world.js';
import { PostgresServer } from '../servers/postgres.js';
import { MirroredRuns } from './mirrored-runs.js';

export const NODE = 'nod_1' as NodeId;
export const OTHER_NODE = 'nod_2' as NodeId;

/** A server with one database, which each test finds empty. */
export class PostgresWorld {
  private constructor(
    private readonly server: PostgresServer,
    private readonly url: string,
    readonly database: PostgresDatabase,
  ) {}

  static async start(maxConnections?: number): Promise<PostgresWorld> {
    const server = await PostgresServer.start();
    const url = await server.database();
    return new PostgresWorld(server, url, await PostgresDatabase.open({ url, maxConnections }));
  }

  async stop(): Promise<void> {
    await this.database.close();
    await this.server.stop();
  }

  /** Carries out statements beside Carrel. */
  sql(text: string): Promise<Record<string, unknown>[]> {
    return this.server.admin(text, this.url);
  }

  async empty(): Promise<void> {
    const tables = await this.sql(`SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'`);
    const names = tables.map(({ name }) => String(name)).filter((name) => name !== 'carrel_schema');
    await this.sql(`TRUNCATE ${names.join(', ')}`);
  }

  async open(clock: Clock): Promise<StoragePorts> {
    await this.empty();
    const { database } = this;
    const mirror = new MirroredRuns(database, clock);
    const prune = (before: Date, limit: number) => pruneSteps(database, before.getTime(), limit);
    return {
      ...mirror.ports,
      journal: Object.assign(Object.create(mirror.ports.journal) as StoragePorts['journal'], { prune }),
      threads: new PostgresThreadStore(database),
      usage: new PostgresUsageStore(database),
      schedules: new PostgresScheduleStore(database),
      budgets: new PostgresBudgetStore(database, NODE),
      messages: new PostgresMessageStore(database),
      operations: new PostgresOperationsStore(database),
      close: async () => mirror.remove(),
    };
  }
}
