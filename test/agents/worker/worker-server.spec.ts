import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CarrelProcess } from '../../carrel-process.js';
import type { CarrelUser } from '../../carrel-server.js';

const AGENTS = 'test/fixtures/worker-agents.module.mjs';
const A_MINUTE = { ms: 60_000 };

describe('a server whose agents hog the processor', () => {
  let dataDir: string;
  let server: CarrelProcess;
  let alice: CarrelUser;
  let bob: CarrelUser;

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'carrel-worker-'));
    server = await CarrelProcess.start(dataDir, { agents: AGENTS, env: { CARREL_CANCEL_GRACE_MS: '300' } });
    [alice, bob] = await Promise.all([server.as('alice'), server.as('bob')]);
  });

  afterAll(async () => {
    await server.kill();
    await rm(dataDir, { recursive: true, force: true });
  });

  /** How long one of bob's runs takes from his request to its end. */
  async function bobsRunMs(): Promise<number> {
    const began = performance.now();
    const { id } = await bob.start('quick', {});
    expect(await bob.end(id)).toMatchObject({ status: 'completed', result: { threadId: 0 } });
    return performance.now() - began;
  }

  it("ends alice's loop of a minute at the attempt's limit, and bob notices nothing of it", async () => {
    const socket = await alice.connect({ after: 0 });
    const { id } = await alice.start('hogging', A_MINUTE);
    await socket.until((event) => event.runId === id && event.type === 'agent_thinking');
    for (let i = 0; i < 5; i++) expect(await bobsRunMs()).toBeLessThan(1_000);
    expect(await alice.end(id)).toMatchObject({ status: 'timed_out', error: { code: 'attempt_timed_out' } });
  });

  it('ends a loop that alice cancels', async () => {
    const socket = await alice.connect({ after: 0 });
    const { id } = await alice.start('polite', {});
    await socket.until((event) => event.runId === id && event.type === 'agent_thinking');
    await alice.http('POST', `/v1/runs/${id}/cancel`);
    expect(await alice.end(id)).toMatchObject({ status: 'cancelled' });
  });

  it('goes on when a worker runs out of memory', async () => {
    const { id } = await alice.start('failing', { how: 'heap' });
    expect(await alice.end(id)).toMatchObject({ status: 'failed', error: { code: 'worker_failed', retryable: false } });
    expect(await bobsRunMs()).toBeLessThan(1_000);
  });

  it('asks guards and interceptors in its own thread', async () => {
    const hers = await alice.end((await alice.start('enhanced', {})).id);
    expect(hers).toMatchObject({ status: 'completed', result: { outside: 0 } });
    expect((hers.result as { threadId: number }).threadId).toBeGreaterThan(0);
    const his = await bob.end((await bob.start('enhanced', {})).id);
    expect(his).toMatchObject({ status: 'failed', error: { code: 'agent_denied' } });
  });
});
