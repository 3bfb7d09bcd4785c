import { NodeIdentity } from '../../src/execution/node-identity.js';
import type { Clock } from '../../src/shared/clock.js';
import type { NodeId } from '../../src/shared/ids.js';
import { PostgresDatabase } from '../../src/storage/postgres/postgres-database.js';
import { PostgresStorage } from '../../src/storage/postgres/postgres-storage.js';
import type { StoragePorts } from '../contracts/storage-world.js';
import { PostgresServer } from '../servers/postgres.js';

export const NODE = 'nod_1' as NodeId;
export const OTHER_NODE = 'nod_2' as NodeId;

/** A node whose id is known. */
function identityOf(id: NodeId): NodeIdentity {
  return Object.defineProperty(new NodeIdentity(), 'id', { value: id });
}

/** A server with one database, which each test finds empty. */
export class PostgresWorld {
  private constructor(
    private readonly server: PostgresServer,
    readonly url: string,
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

  /** @param node the process that asks */
  async open(clock: Clock, node = NODE): Promise<StoragePorts> {
    await this.empty();
    return this.join(clock, node);
  }

  /** Beside others that are there. @param database another way to the same database */
  async join(clock: Clock, id: NodeId, database = this.database): Promise<StoragePorts> {
    const { runs, threads, journal, usage, approvals, schedules, budgets, messages, operations } =
      await PostgresStorage.on(database, identityOf(id), clock);
    return {
      runs,
      threads,
      journal,
      usage,
      approvals,
      schedules,
      budgets,
      messages,
      operations,
      close: () => Promise.resolve(),
    };
  }
}
