import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CarrelProcess } from '../carrel-process.js';
import type { CarrelUser, RecordingSocket } from '../carrel-server.js';

const AGENTS = 'test/fixtures/suspended-agents.module.mjs';
const WARM_UP = 300;
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

  async function suspend(user: CarrelUser, socket: RecordingSocket, runs: number): Promise<void> {
    const before = suspensions(socket);
    await Promise.all(
      Array.from({ length: runs }, (_, n) => socket.emit('run:start', { agent: 'asks', input: { text: `question ${n}` } })),
    );
    await socket.until(() => suspensions(socket) === before + runs, 60_000);
    expect((await user.http<{ use: object }>('GET', '/v1/me/limits')).body.use).toMatchObject({ running: 0, queued: 0 });
  }

  const suspensions = ({ events }: RecordingSocket) => events.filter(({ type }) => type === 'agent_suspended').length;

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
    if (process.env.CARREL_TEST_FIGURES) console.log(`${(bytesEach / RUNS).toFixed(0)} bytes of heap per suspended run`);
    expect(bytesEach / RUNS).toBeLessThan(MAX_BYTES_EACH);
    const began = performance.now();
    await bob.end((await bob.start('heap', {})).id);
    expect(performance.now() - began).toBeLessThan(2_000);
  }, 90_000);
});
