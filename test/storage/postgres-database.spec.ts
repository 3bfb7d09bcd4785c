import { Logger } from '@nestjs/common';
import { PostgresDatabase } from '../../src/storage/postgres/postgres-database.js';
import { upTo } from '../contracts/storage-world.js';
import { CuttingProxy } from '../servers/cutting-proxy.js';
import { freePort } from '../servers/free-port.js';
import { PostgresServer } from '../servers/postgres.js';

let server: PostgresServer;
let url: string;
const opened: PostgresDatabase[] = [];
const proxies: CuttingProxy[] = [];

beforeAll(async () => {
  // what is lost on purpose is logged
  Logger.overrideLogger(false);
  server = await PostgresServer.start();
});
afterAll(() => server.stop());
beforeEach(async () => {
  url = await server.database();
});
afterEach(async () => {
  for (const proxy of proxies.splice(0)) proxy.close();
  await Promise.all(opened.splice(0).map((database) => database.close()));
});

async function open(at = url): Promise<PostgresDatabase> {
  const database = await PostgresDatabase.open({ url: at });
  opened.push(database);
  return database;
}

const COUNTER = { name: 'test_counter', text: 'SELECT n, pg_backend_pid() AS pid FROM counter FOR UPDATE' };
const RAISE = { name: 'test_raise', text: 'UPDATE counter SET n = n + $1 RETURNING n' };
const withCounter = () => server.admin('CREATE TABLE counter (n BIGINT NOT NULL); INSERT INTO counter VALUES (0)', url);
const counted = async () => Number((await server.admin('SELECT n FROM counter', url))[0]?.n);
const kill = (pid: number) => server.admin(`SELECT pg_terminate_backend(${pid})`);

describe('opening the database', () => {
  it('makes the tables once, when five nodes start at the same time, and finds them again', async () => {
    await Promise.all(upTo(5).map(() => open()));
    await open();
    expect(await server.admin('SELECT count(*)::int AS rows, max(version) AS version FROM carrel_schema', url)).toEqual(
      [{ rows: 1, version: 1 }],
    );
    const tables = await server.admin(`SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'`, url);
    expect(tables.map(({ name }) => name)).toEqual(expect.arrayContaining(['users', 'runs', 'threads', 'nodes']));
  });

  it('leaves data of a newer version alone', async () => {
    await open();
    await server.admin('UPDATE carrel_schema SET version = 99', url);
    await expect(open()).rejects.toMatchObject({
      code: 'incompatible_data',
      message: expect.stringContaining('Start that version'),
    });
    expect(await server.admin('SELECT version FROM carrel_schema', url)).toEqual([{ version: 99 }]);
  });

  it('keys of all tables but those of nodes, operators and versions begin with the user', async () => {
    await open();
    const keys = await server.admin(
      `SELECT t.relname AS table, (SELECT attname FROM pg_attribute WHERE attrelid = t.oid AND attnum = i.indkey[0]) AS first
       FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace n ON n.oid = t.relnamespace
       WHERE i.indisprimary AND n.nspname = 'public'`,
      url,
    );
    expect(keys.length).toBeGreaterThan(12);
    const others = keys.filter(({ first }) => first !== 'user_id').map(({ table }) => String(table));
    expect(new Set(others)).toEqual(new Set(['audit', 'kill_switches', 'nodes', 'users', 'writers']));
  });

  it('says which server can’t be reached and what to do, without the password', async () => {
    const port = await freePort();
    const refused = await open(`postgresql://carrel:geheim@127.0.0.1:${port}/carrel`).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'database_unavailable', retryable: true });
    expect((refused as Error).message).toContain(`127.0.0.1:${port}/carrel`);
    expect((refused as Error).message).toContain('Start it, or correct DATABASE_URL');
    expect((refused as Error).message).not.toContain('geheim');
  });

  it('says what is wrong with the URL when the server refuses it', async () => {
    const missing = url.replace(/carrel_test_\w+/, 'no_such_database');
    await expect(open(missing)).rejects.toMatchObject({
      code: 'invalid_config',
      message: expect.stringContaining('no_such_database'),
    });
  });

  it('refuses a database that can’t keep every text', async () => {
    const latin = await server.database(`ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'`);
    await expect(open(latin)).rejects.toMatchObject({
      code: 'unsupported_database',
      message: expect.stringContaining('LATIN1'),
    });
  });
});

describe('transactions', () => {
  it('are rolled back when the work fails, and the error is the work’s own', async () => {
    await withCounter();
    const database = await open();
    const own = new Error('of the work');
    const failing = database.transaction(async (connection) => {
      await connection.query(RAISE, [1]);
      throw own;
    });
    await expect(failing).rejects.toBe(own);
    expect(await counted()).toBe(0);
  });

  it('fail with what was sent and nobody waits for, and leave nothing behind', async () => {
    await withCounter();
    const database = await open();
    const failing = database.transaction(async (connection) => {
      connection.send(RAISE, [1]);
      connection.send({ name: '', text: 'SELECT 1 / 0' });
      connection.send(RAISE, [1]);
    });
    await expect(failing).rejects.toMatchObject({ code: '22012' });
    expect(await counted()).toBe(0);
    expect(await database.query<{ n: number }>(RAISE, [1])).toEqual([{ n: 1 }]);
  });

  it('are done once when the connection is cut before they commit', async () => {
    await withCounter();
    const database = await open();
    let tries = 0;
    const result = await database.transaction(async (connection) => {
      const [row] = await connection.query<{ n: number; pid: number }>(COUNTER);
      if (++tries <= 2) await kill(row!.pid);
      return connection.query<{ n: number }>(RAISE, [5]);
    });
    expect({ tries, result }).toEqual({ tries: 3, result: [{ n: 5 }] });
    expect(await counted()).toBe(5);
  });

  it('are tried again when one is in another’s way', async () => {
    await server.admin('CREATE TABLE pair (id INT PRIMARY KEY, n INT); INSERT INTO pair VALUES (1, 0), (2, 0)', url);
    const database = await open();
    const raise = { name: 'test_raise_one', text: 'UPDATE pair SET n = n + 1 WHERE id = $1' };
    const both = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    // each holds one row and wants the other's: PostgreSQL ends one of them
    const crossed = (own: number) =>
      database.transaction(async (connection) => {
        await connection.query(raise, [own]);
        both[own - 1]!.resolve();
        await Promise.all(both.map(({ promise }) => promise));
        await connection.query(raise, [3 - own]);
      });
    await Promise.all([crossed(1), crossed(2)]);
    expect(await server.admin('SELECT n FROM pair', url)).toEqual([{ n: 2 }, { n: 2 }]);
  });

  it('that can’t get through are given up as something to try again', async () => {
    await withCounter();
    const database = await open();
    const failing = database.transaction(async (connection) => {
      const [row] = await connection.query<{ pid: number }>(COUNTER);
      await kill(row!.pid);
      await connection.query(RAISE, [1]);
    });
    await expect(failing).rejects.toMatchObject({ code: 'database_unavailable', retryable: true });
    expect(await counted()).toBe(0);
    expect(await database.query<{ n: number }>(RAISE, [1])).toEqual([{ n: 1 }]);
  });

  it('are not done again when nobody knows whether they have committed', async () => {
    await withCounter();
    const proxy = await CuttingProxy.to(url);
    proxies.push(proxy);
    const database = await open(proxy.url);
    let tries = 0;
    const ambiguous = database.transaction(async (connection) => {
      tries += 1;
      await connection.query(RAISE, [1]);
      proxy.muteAnswers();
    });
    await proxy.asked;
    proxy.cut();
    await expect(ambiguous).rejects.toMatchObject({ code: 'database_unavailable' });
    expect(tries).toBe(1);
  });

  it('that fall asleep keep nobody from what they hold, and are done once all the same', async () => {
    await withCounter();
    const [sleeper, other] = [await open(), await open()];
    let tries = 0;
    const result = await sleeper.transaction(async (connection) => {
      await connection.query(COUNTER);
      // gets the row when its holder has been cut off, and not before
      if (++tries === 1) await other.query(RAISE, [1]);
      return connection.query<{ n: number }>(RAISE, [10]);
    });
    expect({ tries, result }).toEqual({ tries: 2, result: [{ n: 11 }] });
  }, 20_000);

  it('that get no connection are something to try again, whatever the server’s reason', async () => {
    await withCounter();
    const database = await open();
    await server.refuse(url);
    await expect(database.query(RAISE, [1])).rejects.toMatchObject({ code: 'database_unavailable', retryable: true });
    await expect(database.transaction(() => Promise.resolve())).rejects.toMatchObject({ code: 'database_unavailable' });
    await server.accept(url);
    expect(await database.query(RAISE, [1])).toEqual([{ n: 1 }]);
  });

  it('are refused after the end', async () => {
    const database = await open();
    await database.close();
    await expect(database.transaction(async () => 1)).rejects.toMatchObject({ code: 'draining' });
    await expect(database.query(COUNTER)).rejects.toMatchObject({ code: 'draining' });
  });
});
