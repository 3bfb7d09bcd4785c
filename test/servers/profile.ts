import { createHash } from 'node:crypto';
import { PostgresServer } from './postgres.js';
import { RedisServer } from './redis.js';

interface Servers {
  postgres: PostgresServer;
  redis: RedisServer;
}

let distributed = false;
let servers: Promise<Servers> | undefined;
const databases = new Map<string, Promise<string>>();

/** From now on all servers of this spec run with the distributed profile, on PostgreSQL and Redis; after all of its tests those end. */
export function useDistributedProfile(): void {
  distributed = true;
  afterAll(async () => {
    const started = await servers;
    // that they ran there, and nowhere else
    expect(databases.size).toBeGreaterThan(0);
    for (const database of databases.values()) {
      const [row] = await started!.postgres.admin('SELECT count(*)::int AS events FROM events', await database);
      expect(row?.events).toBeGreaterThan(0);
    }
    await started?.postgres.stop();
    await started?.redis.stop();
  });
}

/** The settings of the profile that the spec runs with: each data folder has a database of its own. */
export async function profileSettings(dataDir: string): Promise<Record<string, string>> {
  if (!distributed) return {};
  servers ??= startBoth();
  const { postgres, redis } = await servers;
  const database = databases.get(dataDir) ?? postgres.database();
  databases.set(dataDir, database);
  return {
    DATABASE_URL: await database,
    REDIS_URL: redis.url,
    CARREL_REDIS_PREFIX: `test-${createHash('sha256').update(dataDir).digest('hex').slice(0, 16)}`,
  };
}

async function startBoth(): Promise<Servers> {
  const [postgres, redis] = await Promise.all([PostgresServer.start(), RedisServer.start()]);
  return { postgres, redis };
}
