import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { io, type Socket } from 'socket.io-client';
import { loadConfig } from '../../src/config/load-config.js';
import { signToken } from '../../src/edge/token-signer.js';
import type { RunEvent } from '../../src/events/run-event.js';
import { CarrelProcess } from '../carrel-process.js';
import { isTerminal } from '../carrel-server.js';

const KILLS = Number(process.env.CRASH_KILLS ?? 20);
const USERS = ['alice', 'bob', 'carol'];
const AGENTS = 'test/fixtures/crash-agents.module.mjs';

/** A client that outlives the server: it keeps starting runs, and keeps what it was told. */
class Survivor {
  readonly accepted: string[] = [];
  /** seq → the event as it was first heard. */
  readonly heard = new Map<number, RunEvent>();
  /** Events that came again and were not the same. */
  readonly contradictions: unknown[] = [];
  private socket: Socket | undefined;
  private url = '';
  private onAccepted = (): void => undefined;

  constructor(
    readonly id: string,
    readonly token: string,
  ) {}

  /** Listens to this server from the last event on, and starts runs until it is gone. */
  async live(url: string): Promise<void> {
    this.url = url;
    this.socket?.disconnect();
    this.socket = io(`${url}/agents`, {
      auth: { token: this.token, after: Math.max(0, ...this.heard.keys()) },
      transports: ['websocket'],
      reconnection: false,
      forceNew: true,
    });
    this.socket.onAny((_name, event: RunEvent) => this.hear(event));
    for (let n = 0; url === this.url; n++) {
      const agent = n % 3 === 2 ? 'steps-once' : 'steps';
      const answer = await this.post({ agent, input: { steps: 4, text: this.id } }).catch(() => undefined);
      if (!answer) return; // the server is gone
      if (answer.status === 202) {
        this.accepted.push(((await answer.json()) as { id: string }).id);
        this.onAccepted();
      } else await new Promise((resolve) => setTimeout(resolve, 5)); // the lane is full
    }
  }

  /** Resolves when the server accepts a run of this user's. */
  nextAccepted(): Promise<void> {
    return new Promise((resolve) => (this.onAccepted = resolve));
  }

  leave(): void {
    this.url = '';
    this.socket?.disconnect();
  }

  async get<Body>(url: string, path: string): Promise<Body> {
    const response = await fetch(url + path, { headers: { authorization: `Bearer ${this.token}` } });
    return (await response.json()) as Body;
  }

  async journal(url: string): Promise<RunEvent[]> {
    const events: RunEvent[] = [];
    for (let after = 0; ;) {
      const page = await this.get<{ items: RunEvent[]; next: number }>(url, `/v1/events?after=${after}&limit=200`);
      if (page.items.length === 0) return events;
      events.push(...page.items);
      after = page.next;
    }
  }

  private post(body: object): Promise<Response> {
    const headers = { authorization: `Bearer ${this.token}`, 'content-type': 'application/json' };
    return fetch(`${this.url}/v1/runs`, { method: 'POST', headers, body: JSON.stringify(body) });
  }

  private hear(event: RunEvent): void {
    if (!('runSeq' in event)) return;
    const known = this.heard.get(event.seq);
    if (!known) this.heard.set(event.seq, event);
    else if (known.id !== event.id) this.contradictions.push([known, event]);
  }
}

describe(`a server that is killed ${KILLS} times under load`, () => {
  let dataDir: string;
  let server: CarrelProcess;
  let survivors: Survivor[];
  const journals = new Map<string, RunEvent[]>();

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'carrel-crash-'));
    const start = () => CarrelProcess.start(dataDir, { agents: AGENTS, env: { CARREL_USER_MAX_QUEUED: '20' } });
    server = await start();
    const config = loadConfig({ CARREL_DATA_DIR: dataDir });
    survivors = await Promise.all(
      USERS.map(
        async (userId) => new Survivor(userId, await signToken(config, { userId, roles: [], ttlSeconds: 3600 })),
      ),
    );
    for (let kill = 0; kill < KILLS; kill++) {
      const lives = survivors.map((one) => one.live(server.url));
      // most lives see runs, however slow the machine; the others end at any moment, also before the first one
      if (kill % 4 !== 3) await Promise.all(survivors.map((one) => one.nextAccepted()));
      await new Promise((resolve) => setTimeout(resolve, 30 + Math.random() * 250));
      await server.kill();
      await Promise.all(lives);
      server = await start();
    }
    for (const one of survivors) journals.set(one.id, await completeJournal(one));
  }, 180_000);

  afterAll(async () => {
    for (const one of survivors) one.leave();
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  });

  /** The user's whole journal, once each accepted run has its end in it. */
  async function completeJournal(one: Survivor): Promise<RunEvent[]> {
    for (let tries = 0; tries < 600; tries++) {
      const body = await one.get<{ use: { running: number; queued: number } }>(server.url, '/v1/me/limits');
      if (body.use.running === 0 && body.use.queued === 0) return one.journal(server.url);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`${one.id}'s runs do not come to an end`);
  }

  it('lost no run that it had accepted: each has come to exactly one end', () => {
    for (const one of survivors) {
      const ends = journals
        .get(one.id)!
        .filter(isTerminal)
        .map(({ runId }) => runId);
      expect(new Set(ends).size).toBe(ends.length);
      expect(one.accepted.length).toBeGreaterThan(KILLS);
      expect(one.accepted.filter((id) => !ends.includes(id as never))).toEqual([]);
    }
  });

  it('numbered the events 1, 2, 3, … across all its lives', () => {
    for (const one of survivors) {
      const journal = journals.get(one.id)!;
      expect(journal.map(({ seq }) => seq)).toEqual(journal.map((_, i) => i + 1));
    }
  });

  it('lost no event that anybody had heard, and gave none another number', () => {
    for (const one of survivors) {
      const bySeq = new Map(journals.get(one.id)!.map((event) => [event.seq, event]));
      expect(one.contradictions).toEqual([]);
      expect(one.heard.size).toBeGreaterThan(KILLS);
      for (const [seq, event] of one.heard) expect(bySeq.get(seq)).toEqual(event);
    }
  });

  it('ran idempotent agents again, and never the others', () => {
    const runs = [...journals.values()].flatMap((journal) => [...Map.groupBy(journal, ({ runId }) => runId).values()]);
    const again = runs.filter((events) => events.some(({ type }) => type === 'agent_retrying'));
    expect(again.length).toBeGreaterThan(0);
    for (const events of again) expect(events[0]!.agent).toBe('steps');
    const interrupted = runs.filter((events) => JSON.stringify(events.at(-1)).includes('"interrupted"'));
    expect(interrupted.length).toBeGreaterThan(0);
  });

  it('began each run once, and closed every tool call before the end of its run', () => {
    for (const journal of journals.values()) {
      for (const events of Map.groupBy(journal, ({ runId }) => runId).values()) {
        expect(events.filter(({ type }) => type === 'agent_started').length).toBeLessThanOrEqual(1);
        expect(isTerminal(events.at(-1)!)).toBe(true);
        const opened = events.filter(({ type }) => type === 'tool_executing').length;
        expect(events.filter(({ type }) => type === 'tool_completed')).toHaveLength(opened);
      }
    }
  });
});
