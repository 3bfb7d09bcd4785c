import { createPrivateKey, createPublicKey } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PostgresServer } from '../servers/postgres.js';
import { RedisServer } from '../servers/redis.js';
import { BuiltCli, type Ended } from './built-cli.js';

const cli = new BuiltCli();
const data = join(cli.dir, 'data');
const started = { alice: '', bob: '' };
let postgres: PostgresServer;
let redis: RedisServer;
let url: string;
beforeAll(async () => {
  [postgres, redis] = await Promise.all([PostgresServer.start(), RedisServer.start()]);
  url = await postgres.database();
});
afterAll(async () => {
  await cli.remove();
  await Promise.all([postgres.stop(), redis.stop()]);
});

const migrate = (args: readonly string[] = [], env: NodeJS.ProcessEnv = { DATABASE_URL: url }): Promise<Ended> =>
  cli.run(['migrate', '--from', data, ...args], env);

async function tokenFor(user: string): Promise<string> {
  return (await cli.run(['token', '--user', user, '--data', data])).stdout.trim();
}

async function serving<T>(
  work: (ask: (user: string, path: string, body?: object) => Promise<Response>) => Promise<T>,
  env: NodeJS.ProcessEnv = {},
  dir = data,
): Promise<T> {
  const server = cli.start(['start', '--port', '0', '--data', dir], env);
  const at = (await server.line(/^Carrel listens on /)).split(' ').at(-1)!;
  try {
    return await work(async (user, path, body) => {
      const headers = { authorization: `Bearer ${await tokenFor(user)}`, 'content-type': 'application/json' };
      return fetch(at + path, { headers, ...(body && { method: 'POST', body: JSON.stringify(body) }) });
    });
  } finally {
    server.child.kill('SIGTERM');
    await server.ended;
  }
}

describe('carrel migrate', () => {
  it('waits for nobody: a folder whose server runs is locked', async () => {
    const { code, stderr } = await serving(async (ask) => {
      for (const user of ['alice', 'bob'] as const) {
        const input = { text: `I am ${user}. This is a text.` };
        // hers waits until another server may do it
        const delayMs = user === 'alice' ? 30_000 : 0;
        const response = await ask(user, '/v1/runs', { agent: 'summarise', input, delayMs });
        started[user] = ((await response.json()) as { id: string }).id;
      }
      return migrate();
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^carrel: data_locked: .*Stop that process/);
  }, 60_000);

  it('copies what a stopped server has left, shows the counts, and says what is left to do', async () => {
    const { code, stdout, stderr } = await migrate();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^2 users were copied, 0 were there already\n/);
    expect(stdout).toMatch(/^table +folder +database$/m);
    expect(stdout).toMatch(/^users +2 +2$/m);
    expect(stdout).toMatch(/^runs +2 +2$/m);
    expect(stdout).toContain('All counts are equal, and every sequence of events is without a gap.');
    expect(stdout).toContain(`Start no server on ${data} any more`);
    expect(stdout).toContain(`openssl pkey -in ${join(data, 'keys', 'signing-key.pem')} -pubout`);
    const rows = await postgres.admin('SELECT user_id, status FROM runs ORDER BY user_id', url);
    expect(rows.map(({ user_id }) => user_id)).toEqual(['alice', 'bob']);
  });

  it('leaves a node that carries on: with the public half of the key, old tokens find all runs, and what waited is done', async () => {
    const key = join(cli.dir, 'carrel-public.pem');
    const privateKey = createPrivateKey(readFileSync(join(data, 'keys', 'signing-key.pem')));
    writeFileSync(key, createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }));
    const database = await postgres.database();
    expect((await migrate([], { DATABASE_URL: database })).code).toBe(0);
    const env = {
      NODE_ENV: 'production',
      CARREL_JWT_PUBLIC_KEY_FILE: key,
      DATABASE_URL: database,
      REDIS_URL: redis.url,
      CARREL_REDIS_PREFIX: redis.prefix(),
    };
    await serving(
      async (ask) => {
        const idOf = async (user: string) => {
          const { items } = (await (await ask(user, '/v1/runs')).json()) as { items: { id: string }[] };
          return items.map(({ id }) => id);
        };
        expect(await idOf('bob')).toEqual([started.bob]);
        expect(await idOf('alice')).toEqual([started.alice]);
        expect((await ask('bob', `/v1/runs/${started.alice}`)).status).toBe(404);
        // a run's stream ends with the run
        expect(await (await ask('alice', `/v1/runs/${started.alice}/stream`)).text()).toContain('agent_completed');
      },
      env,
      join(cli.dir, 'node'),
    );
  }, 90_000);

  it('does nothing the second time, with the URL as a flag', async () => {
    const { code, stdout } = await migrate(['--database-url', url], {});
    expect(code).toBe(0);
    expect(stdout).toMatch(/^0 users were copied, 2 were there already\n/);
  });

  it('ends with 1 when something is not proved, and says of whom', async () => {
    await postgres.admin(`UPDATE users SET last_seq = last_seq + 1 WHERE id = 'bob'`, url);
    const { code, stdout } = await migrate();
    expect(code).toBe(1);
    expect(stdout).toContain('The two are NOT equal: do not start nodes on this database');
    expect(stdout).toMatch(/without a gap: 1, such as bob$/m);
    expect(stdout).not.toContain('What is left to do');
  });

  it('ends with 1 when the database has other data of a user', async () => {
    await postgres.admin(`DELETE FROM run_requests WHERE user_id = 'alice'`, url);
    const { code, stdout, stderr } = await migrate();
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^carrel: migration_refused: .*alice \(run_requests: 1 in the folder, 0 in the database\)/);
  });

  it('needs a database, and never shows the password of one', async () => {
    const none = await migrate([], {});
    expect(none.code).toBe(1);
    expect(none.stderr).toMatch(/^carrel: invalid_config: DATABASE_URL is not set/);
    const odd = await migrate([], { DATABASE_URL: 'mysql://me:hidden@db' });
    expect(odd.stderr).toMatch(/^carrel: invalid_config: DATABASE_URL is not usable/);
    const gone = await migrate([], { DATABASE_URL: 'postgresql://me:hidden@127.0.0.1:1/db' });
    expect(gone.stderr).toMatch(/^carrel: database_unavailable: /);
    expect(odd.stderr + gone.stderr).not.toContain('hidden');
    expect((await cli.run(['migrate'], {})).code).toBe(2);
  });
});
