import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunEvent } from '../../src/events/run-event.js';
import { CarrelServer, isTerminal, type Ack, type CarrelUser, type RunJson } from '../carrel-server.js';
import { pause, ScriptedAgentsModule } from '../scripted-agents.module.js';

const ROUNDS = 6;
const STARTS = 30;

describe('a server that stops while it is asked for more and more', () => {
  let dataDir: string;

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'carrel-drain-'));
  });

  afterEach(() => rm(dataDir, { recursive: true, force: true }));

  const start = () =>
    CarrelServer.start({
      agents: [ScriptedAgentsModule],
      dataDir,
      env: { CARREL_DRAIN_MS: '30', CARREL_CANCEL_GRACE_MS: '100', CARREL_USER_MAX_RUNNING: '20' },
    });

  /** Starts runs that must not be run twice, a few at a time, and stops the server somewhere among them. */
  async function stopAmongStarts(server: CarrelServer, user: CarrelUser, round: number): Promise<string[]> {
    const socket = await user.connect();
    const accepted: string[] = [];
    const starts = Array.from({ length: STARTS }, async (_, n) => {
      await pause(Math.floor(n / 5));
      if (!socket.socket.connected) return;
      const input = { ms: n % 3 === 0 ? 60_000 : n % 7 };
      const ack = await socket
        .emit<RunJson>('run:start', { agent: n % 2 === 0 ? 'wait-once' : 'wait', input })
        .catch((): Ack<RunJson> => ({ ok: false, error: { code: 'gone', message: '' } }));
      if (ack.ok) accepted.push(ack.data.id);
      else expect(['draining', 'gone']).toContain(ack.error.code);
    });
    await pause(round);
    await server.app.close(); // with the client still there
    socket.close();
    await Promise.all(starts);
    return accepted;
  }

  async function journalOf(user: CarrelUser): Promise<RunEvent[]> {
    const socket = await user.connect({ after: 0 });
    const { seq } = await socket.ready;
    await socket.count(seq);
    return socket.events;
  }

  it("loses nothing that it has accepted of alice's and bob's, and runs nothing twice that must not be", async () => {
    const accepted = new Map<string, string[]>([
      ['alice', []],
      ['bob', []],
    ]);
    for (let round = 0; round < ROUNDS; round++) {
      const server = await start();
      const userId = round % 2 === 0 ? 'alice' : 'bob';
      accepted.get(userId)!.push(...(await stopAmongStarts(server, await server.as(userId), round)));
    }
    await using server = await start();
    for (const [userId, ids] of accepted) {
      const user = await server.as(userId);
      const { body } = await user.http<{ items: RunJson[] }>('GET', '/v1/runs?status=running&limit=200');
      for (const { id } of body.items) await user.http('POST', `/v1/runs/${id}/cancel?wait=true`); // those of a minute
      const events = await journalOf(user);
      expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1));
      const runs = Map.groupBy(events, ({ runId }) => runId as string);
      expect(ids.filter((id) => !runs.has(id))).toEqual([]);
      for (const own of runs.values()) {
        expect(own.filter(isTerminal)).toHaveLength(1);
        expect(isTerminal(own.at(-1)!)).toBe(true);
        if (own[0]!.agent === 'wait-once') expect(own.some(({ type }) => type === 'agent_retrying')).toBe(false);
      }
    }
    expect(accepted.get('alice')!.length).toBeGreaterThan(0);
    expect(server.held).toEqual({ liveContexts: 0, active: 0 });
  });
});
