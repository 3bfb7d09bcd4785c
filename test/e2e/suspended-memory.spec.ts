import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CarrelProcess } from '../carrel-process.js';
import type { CarrelUser, RecordingSocket } from '../carrel-server.js';

const AGENTS = 'test/fixtures/suspended-agents.module.mjs';
const WARM_UP = 1_000;
const RUNS = 1_000;
const MAX_BYTES_EACH = 1_024;

describe(`${RUNS} suspended runs of alice`, () => {
  let dataDir: string;
  let server: CarrelProcess;

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'carrel-suspended-'));
    const env = { NODE_OPTIONS: '--expose-gc', CARREL_USER_MAX_SUSPENDED: '2000', CARREL_USER_MAX_QUEUED: '2000' };
    server = await CarrelProcess.start(dataDir, { agents: AGENTS, env: { ...env, CARREL_DATA_SYNC: 'normal' } });
  });

  afterAll(async () => {
    await server.kill();
    await rm(dataDir, { recursive: true, force: true });
  });

  /** Starts runs that ask, and waits until all of them are suspended. */
  async function suspend(user: CarrelUser, { socket }: RecordingSocket, runs: number): Promise<void> {
    const all = Promise.withResolvers<void>();
    let left = runs;
    const count = () => void (--left === 0 && all.resolve());
    socket.on('agent_suspended', count);
    const start = (_: unknown, n: number) =>
      socket.emitWithAck('run:start', { agent: 'asks', input: { text: `question ${n}` } });
    await Promise.all(Array.from({ length: runs }, start));
    await all.promise;
    socket.off('agent_suspended', count);
    expect((await user.http<{ use: object }>('GET', '/v1/me/limits')).body.use).toMatchObject({
      running: 0,
      queued: 0,
    });
  }

  async function heapUsed(user: CarrelUser): Promise<number> {
    const { result } = await user.end((await user.start('heap', {})).id);
    return (result as { heapUsed: number }).heapUsed;
  }

  it(`take no place and less than ${MAX_BYTES_EACH} bytes of memory each, and bob's run begins at once`, async () => {
    const [alice, bob] = await Promise.all([server.as('alice'), server.as('bob')]);
    const socket = await alice.connect({ after: 0 });
    await suspend(alice, socket, WARM_UP); // what is cached once, and code that was compiled, is nobody's
    const before = await heapUsed(bob);
    await suspend(alice, socket, RUNS);
    const bytesEach = (await heapUsed(bob)) - before;
    if (process.env.CARREL_TEST_FIGURES)
      console.log(`${(bytesEach / RUNS).toFixed(0)} bytes of heap per suspended run`);
    expect(bytesEach / RUNS).toBeLessThan(MAX_BYTES_EACH);
    const began = performance.now();
    await bob.end((await bob.start('heap', {})).id);
    expect(performance.now() - began).toBeLessThan(2_000);
  }, 90_000);
});
