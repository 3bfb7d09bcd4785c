import { stat } from 'node:fs/promises';
import { HeldClock } from '../contracts/storage-world.js';
import { contextOf, handMade, isAlive, McpHost, publicServer, until } from './mcp-host.js';

const alice = contextOf('alice');
const bob = contextOf('bob');

describe('a server that is a process', () => {
  let host: McpHost;

  beforeAll(async () => {
    host = await McpHost.boot(
      {
        memory: { ...publicServer('memory'), env: { MEMORY_FILE_PATH: '${user.folder}/memory.json' } },
        files: publicServer('filesystem', '${user.folder}'),
        hand: {
          ...handMade('--for', '${user.id}', '--root=${user.folder}'),
          env: { WHO: '${user.id} of ${user.claims.tenant}', KEY: '${secret.KEY}' },
        },
      },
      { env: { PATH: '/usr/bin:/bin', CARREL_SECRET_KEY: 'k-123', CARREL_LOG_LEVEL: 'silent' } },
    );
  });

  afterAll(() => host[Symbol.asyncDispose]());

  it('is opened when its user needs it, and nobody else is concerned', async () => {
    expect(host.state(alice, 'memory')).toMatchObject({ transport: 'stdio', state: 'idle' });
    const { tools } = await host.use(alice, 'memory', ({ client }) => client.listTools());
    expect(tools.map(({ name }) => name)).toContain('read_graph');
    expect(host.state(alice, 'memory')).toMatchObject({
      state: 'ready',
      protocolVersion: '2025-11-25',
      serverInfo: { name: 'memory-server' },
    });
    expect(host.state(bob, 'memory')).toMatchObject({ state: 'idle' });
  });

  it("keeps alice's graph from bob", async () => {
    const entities = [{ name: 'plan', entityType: 'secret', observations: ['to move to Oslo'] }];
    const graphs = await Promise.all(
      [alice, bob].map((user) =>
        host.use(user, 'memory', async ({ client }) => {
          if (user === alice) await client.callTool({ name: 'create_entities', arguments: { entities } });
          return JSON.stringify(await client.callTool({ name: 'read_graph' }));
        }),
      ),
    );
    expect(graphs[0]).toContain('to move to Oslo');
    expect(graphs[1]).not.toContain('Oslo');
  });

  it('can not be led out of its own folder', async () => {
    const written = await host.use(alice, 'files', ({ client }) =>
      client.callTool({ name: 'write_file', arguments: { path: 'note.txt', content: 'mine' } }),
    );
    expect(written.isError).toBeFalsy();
    const theirs = `${host.config.mcp.workDir}/files/u-alice/note.txt`;
    const read = await host.use(bob, 'files', ({ client }) =>
      client.callTool({ name: 'read_text_file', arguments: { path: theirs } }),
    );
    expect(read).toMatchObject({ isError: true });
  });

  it('is a process of its user alone, in a folder of its own, with what is declared in its environment and nothing else', async () => {
    const [acme, other] = await Promise.all([
      host.call(contextOf('alice', { tenant: 'acme' }), 'hand'),
      host.call(contextOf('bob', { tenant: 'other' }), 'hand'),
    ]);
    expect(acme.pid).not.toBe(other.pid);
    const folder = `${host.config.mcp.workDir}/hand/u-alice`;
    expect(acme.cwd).toBe(folder);
    expect(other.cwd).toBe(`${host.config.mcp.workDir}/hand/u-bob`);
    expect(acme.env).toEqual({ PATH: '/usr/bin:/bin', HOME: folder, WHO: 'alice of acme', KEY: 'k-123' });
    expect(acme.args).toEqual(['--for', 'alice', `--root=${folder}`]);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
  });

  it('is another connection when its user comes with other claims', async () => {
    const before = await host.call(contextOf('alice', { tenant: 'acme' }), 'hand');
    const same = await host.call(contextOf('alice', { tenant: 'acme', unasked: 'x' }), 'hand');
    const after = await host.call(contextOf('alice', { tenant: 'new' }), 'hand');
    expect(same.pid).toBe(before.pid);
    expect(after.pid).not.toBe(before.pid);
    expect(after.env.WHO).toBe('alice of new');
  });

  it('says which claim its user lacks, and no other server minds', async () => {
    await expect(host.call(alice, 'hand')).rejects.toMatchObject({
      code: 'mcp_unavailable',
      message:
        'the MCP server "hand" can not be used: your token has no claim "tenant" that can be used, and this server needs it',
      retryable: false,
      details: { server: 'hand' },
    });
    expect(host.state(alice, 'hand')).toMatchObject({ state: 'failed', error: { retryable: false } });
    await host.use(alice, 'memory', ({ client }) => client.listTools());
  });

  it('is not there when the configuration has none of that name', async () => {
    await expect(host.call(alice, 'nothing')).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('the life of a connection', () => {
  it('is shared by all who wait for it to open', async () => {
    await using host = await McpHost.boot({ hand: handMade() });
    const facts = await Promise.all([1, 2, 3].map(() => host.call(alice, 'hand')));
    expect(new Set(facts.map(({ pid }) => pid)).size).toBe(1);
  });

  it('goes on for the others when one of them does not want to wait any more', async () => {
    await using host = await McpHost.boot({ hand: handMade() });
    const stop = new AbortController();
    const impatient = host.pool.use(alice, 'hand', stop.signal, () => Promise.resolve('done'));
    const patient = host.call(alice, 'hand');
    stop.abort(new Error('no more'));
    await expect(impatient).rejects.toThrow('no more');
    expect(isAlive((await patient).pid)).toBe(true);
  });

  it('ends when its user has not used it for a while, and leaves no process', async () => {
    const clock = new HeldClock();
    await using host = await McpHost.boot({ hand: handMade() }, { clock, env: { CARREL_MCP_IDLE_MS: '60000' } });
    const { pid } = await host.call(alice, 'hand');
    clock.advance(59_999);
    await host.call(alice, 'hand');
    clock.advance(59_999);
    expect(host.state(alice, 'hand').state).toBe('ready');
    clock.advance(1);
    await until(() => !isAlive(pid));
    expect(host.state(alice, 'hand')).toMatchObject({ state: 'idle' });
    expect((await host.call(alice, 'hand')).pid).not.toBe(pid);
  });

  it('does not end while it is used, however long that takes', async () => {
    const clock = new HeldClock();
    await using host = await McpHost.boot({ hand: handMade() }, { clock });
    const held = await host.hold(alice, 'hand');
    clock.advance(24 * 60 * 60 * 1_000);
    expect(host.state(alice, 'hand').state).toBe('ready');
    await held.letGo();
  });

  it('ends with the server, and takes all processes with it: children, and those that do not want to', async () => {
    const host = await McpHost.boot({ hand: handMade('--grandchild', '--stubborn'), other: handMade() });
    const all = await Promise.all([host.call(alice, 'hand'), host.call(bob, 'hand'), host.call(bob, 'other')]);
    const opening = host.call(alice, 'other').catch((error: unknown) => error);
    const pids = all.flatMap(({ pid, grandchild }) => (grandchild ? [pid, grandchild] : [pid]));
    expect(pids.filter(isAlive)).toHaveLength(5);
    await host[Symbol.asyncDispose]();
    expect(pids.filter(isAlive)).toEqual([]);
    expect(await opening).toMatchObject({ code: 'draining' });
    await expect(host.call(alice, 'hand')).rejects.toMatchObject({ code: 'draining' });
  });

  it('takes what a process has started with it when the process dies by itself', async () => {
    await using host = await McpHost.boot({ hand: handMade('--grandchild') });
    const { grandchild } = await host.call(alice, 'hand');
    await expect(host.call(alice, 'hand', 'die')).rejects.toMatchObject({ code: 'mcp_unavailable' });
    await until(() => !isAlive(grandchild!));
  });
});

describe('how many connections there may be', () => {
  const env = { CARREL_MCP_USER_MAX_CONNECTIONS: '2', CARREL_MCP_MAX_CONNECTIONS: '3' };
  const servers = { a: handMade('a'), b: handMade('b'), c: handMade('c') };

  it('closes the one that alice has not used for the longest, before it opens another one of hers', async () => {
    const clock = new HeldClock();
    await using host = await McpHost.boot(servers, { env, clock });
    const a = await host.call(alice, 'a');
    clock.advance(1);
    const b = await host.call(alice, 'b');
    clock.advance(1);
    await host.call(alice, 'a');
    clock.advance(1);
    await host.call(alice, 'c');
    expect([a.pid, b.pid].map(isAlive)).toEqual([true, false]);
    expect(host.pool.states(alice).map(({ state }) => state)).toEqual(['ready', 'idle', 'ready']);
  });

  it('says so when all of hers are in use, and bob has his own', async () => {
    await using host = await McpHost.boot(servers, { env });
    const held = await Promise.all([host.hold(alice, 'a'), host.hold(alice, 'b')]);
    await expect(host.call(alice, 'c')).rejects.toMatchObject({
      code: 'mcp_unavailable',
      message: expect.stringContaining('CARREL_MCP_USER_MAX_CONNECTIONS') as string,
      retryable: true,
      retryAfterMs: expect.any(Number) as number,
    });
    await host.call(bob, 'c');
    await Promise.all(held.map((one) => one.letGo()));
    await host.call(alice, 'c');
  });

  it('closes one that another user does not use when there are too many in all, never one that is used', async () => {
    await using host = await McpHost.boot(servers, { env });
    const held = await host.hold(alice, 'a');
    const idle = await host.call(alice, 'b');
    const bobs = await Promise.all([host.hold(bob, 'a'), host.hold(bob, 'b')]);
    expect(isAlive(idle.pid)).toBe(false);
    await expect(host.call(contextOf('carol'), 'c')).rejects.toMatchObject({
      code: 'mcp_unavailable',
      message: expect.stringContaining('CARREL_MCP_MAX_CONNECTIONS') as string,
    });
    await Promise.all([held, ...bobs].map((one) => one.letGo()));
  });

  it('counts those that are being opened', async () => {
    await using host = await McpHost.boot(servers, { env });
    const opening = [host.call(alice, 'a'), host.call(alice, 'b')];
    await expect(host.call(alice, 'c')).rejects.toMatchObject({ code: 'mcp_unavailable' });
    await Promise.all(opening);
  });
});

describe('a server that fails', () => {
  it('is left alone for longer and longer, then altogether for a while; another user is not concerned', async () => {
    const clock = new HeldClock();
    await using host = await McpHost.boot({ hand: handMade() }, { clock });
    for (let failures = 1; failures <= 5; failures++) {
      await expect(host.call(alice, 'hand', 'die')).rejects.toMatchObject({
        code: 'mcp_unavailable',
        message: 'the MCP server "hand" can not be used: its process has ended with exit code 3',
        retryable: true,
      });
      await until(() => host.state(alice, 'hand').retryAtMs !== undefined);
      const { state, retryAtMs } = host.state(alice, 'hand');
      const waitMs = retryAtMs! - clock.now();
      expect(state).toBe(failures < 5 ? 'backing_off' : 'failed');
      if (failures === 5) expect(waitMs).toBe(60_000);
      else expect(Math.ceil(waitMs / (500 * 2 ** (failures - 1)))).toBe(1);
      await expect(host.call(alice, 'hand')).rejects.toMatchObject({ code: 'mcp_unavailable', retryAfterMs: waitMs });
      clock.advance(waitMs);
    }
    expect((await host.call(bob, 'hand')).pid).toBeGreaterThan(0);
    expect(host.state(alice, 'hand')).toMatchObject({ state: 'idle', error: { code: 'mcp_unavailable' } });
    await host.call(alice, 'hand');
    expect(host.state(alice, 'hand')).toMatchObject({ state: 'ready', error: undefined });
  });

  it('is told why all work under way has failed, and is opened anew', async () => {
    const clock = new HeldClock();
    await using host = await McpHost.boot({ hand: handMade() }, { clock });
    const hanging = host.call(alice, 'hand', 'hang');
    const dying = host.call(alice, 'hand', 'die');
    const reasons = await Promise.allSettled([hanging, dying]);
    for (const outcome of reasons) expect(outcome).toMatchObject({ reason: { code: 'mcp_unavailable' } });
  });

  it.each([
    ['whose command is not there', { command: '/nowhere/mcp' }, 'its command can not be started (ENOENT)'],
    ['that ends at once', { command: process.execPath, args: ['-e', 'process.exit(7)'] }, 'exit code 7'],
    ['that never says what it is', handMade('--silent', '--stubborn'), 'within 800 ms'],
    [
      'that speaks something else',
      { command: process.execPath, args: ['-e', 'setInterval(() => console.log("hi"), 50)'] },
      'within 800 ms',
    ],
  ])('%s is unavailable', async (_, server, why) => {
    await using host = await McpHost.boot({ hand: server }, { env: { CARREL_MCP_CONNECT_TIMEOUT_MS: '800' } });
    await expect(host.call(alice, 'hand')).rejects.toMatchObject({
      code: 'mcp_unavailable',
      message: expect.stringContaining(why) as string,
    });
    expect(host.state(alice, 'hand')).toMatchObject({ state: 'backing_off', error: { code: 'mcp_unavailable' } });
  });

  it('is asked in the old way when it dies of being asked in the new one', async () => {
    await using host = await McpHost.boot({ hand: handMade('--exit-on-probe') });
    await host.call(alice, 'hand');
    expect(host.state(alice, 'hand')).toMatchObject({ state: 'ready', protocolVersion: '2025-11-25' });
  });
});
