import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EVENT_JOURNAL, type EventJournal } from '../../src/events/event-journal.port.js';
import { RUN_STORE, type RunStore } from '../../src/execution/run-store.port.js';
import { CarrelServer, isTerminal, type RunJson } from '../carrel-server.js';
import { ScriptedAgentsModule } from '../scripted-agents.module.js';

/**
 * Lets the next calls of one method of a real part fail, as they do when the disk is full.
 *
 * @returns resolves at the first failure
 */
function failNext<Part, Method extends keyof Part>(part: Part, method: Method, times: number): Promise<void> {
  let left = times;
  const failed = Promise.withResolvers<void>();
  const real = part[method] as (...args: unknown[]) => Promise<unknown>;
  const failing = (...args: unknown[]): Promise<unknown> => {
    if (left-- <= 0) return real.apply(part, args);
    failed.resolve();
    return Promise.reject(new Error('SQLITE_FULL: database or disk is full'));
  };
  part[method] = failing as Part[Method];
  return failed.promise;
}

describe('a storage that fails in the middle of a run', () => {
  let dataDir: string;
  let server: CarrelServer;
  let store: RunStore;

  const start = async () => {
    const env = { CARREL_RUN_SLOTS: '1', CARREL_USER_MAX_RUNNING: '1', CARREL_DRAIN_MS: '100' };
    server = await CarrelServer.start({ agents: [ScriptedAgentsModule], dataDir, env });
    store = server.app.get<RunStore>(RUN_STORE);
  };

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'carrel-failing-'));
    await start();
  });

  afterEach(async () => {
    await server.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  it.each(['claim', 'finish'] as const)(
    'and takes %s later delays the run, and whoever waits for it gets its result',
    async (method) => {
      const [alice, bob] = await Promise.all([server.as('alice'), server.as('bob')]);
      const hers = await alice.connect({ after: 0 });
      const first = await bob.start('wait', { ms: 100 }); // has the only slot
      const failed = failNext(store, method, 3);
      const request = { agent: 'echo', input: { text: 'x' } };
      const answer = await alice.http<RunJson>('POST', '/v1/runs', request, { prefer: 'wait=20' });
      await failed;
      expect(answer).toMatchObject({ status: 200, body: { status: 'completed', result: { text: 'x' } } });
      await hers.until(isTerminal);
      expect(hers.events.map(({ type }) => type)).toEqual([
        'agent_queued',
        'agent_started',
        'agent_thinking',
        'tool_executing',
        'tool_completed',
        'agent_completed',
      ]);
      expect(await bob.end(first.id)).toMatchObject({ status: 'completed' });
      const { body } = await alice.http<{ use: object }>('GET', '/v1/me/limits');
      expect(body.use).toMatchObject({ running: 0, queued: 0 });
      expect(await bob.end((await bob.start('echo', {})).id)).toMatchObject({ status: 'completed' }); // the slot is free
    },
  );

  it('and loses no event of it: the run fails, and what it had said is in its record', async () => {
    const alice = await server.as('alice');
    const socket = await alice.connect({ after: 0 });
    void failNext(server.app.get<EventJournal>(EVENT_JOURNAL), 'append', 1);
    const { id } = await alice.start('wait', { ms: 10_000 });
    await socket.until(isTerminal);
    expect((await alice.http('GET', `/v1/runs/${id}`)).body).toMatchObject({
      status: 'failed',
      error: { code: 'internal' },
    });
    expect(socket.events.map(({ type }) => type)).toEqual(['agent_started', 'agent_thinking', 'agent_error']);
    expect(JSON.stringify(socket.events)).not.toContain('SQLITE');
  });

  it('and does not come back leaves the run to the next start, without holding up the end of this process', async () => {
    const alice = await server.as('alice');
    const failed = failNext(store, 'finish', Number.POSITIVE_INFINITY);
    const { id } = await alice.start('echo', { text: 'x' });
    await failed;
    expect((await alice.http('GET', `/v1/runs/${id}`)).body).toMatchObject({ status: 'running' });
    await server.close();
    await start();
    const again = await server.as('alice');
    expect(await again.end(id)).toMatchObject({ status: 'completed', attempt: 2 });
  });
});
