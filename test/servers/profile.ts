import { createHash } from 'node:crypto';
import { PostgresServer } from './postgres.js';

let server: Promise<PostgresServer> | undefined;
const databases = new Map<string, Promise<string>>();

/**
 * The settings of the profile that the tests run with: `CARREL_TEST_PROFILE=distributed` gives each data folder a database of
 * its own, so that the tests of one process run as they are on PostgreSQL and Redis.
 */
export async function profileSettings(dataDir: string): Promise<Record<string, string>> {
  if (process.env.CARREL_TEST_PROFILE !== 'distributed') return {};
  const known = databases.get(dataDir) ?? newDatabase();
  databases.set(dataDir, known);
  return {
    DATABASE_URL: await known,
    REDIS_URL: process.env.CARREL_TEST_REDIS_URL ?? 'redis://127.0.0.1:6379',
    CARREL_REDIS_PREFIX: `test-${createHash('sha256').update(dataDir).digest('hex').slice(0, 16)}`,
  };
}

export async function stopProfile(): Promise<void> {
  await (await server)?.stop();
}

async function newDatabase(): Promise<string> {
  server ??= PostgresServer.start();
  return (await server).database();
}
