import { io, type Socket } from 'socket.io-client';
import { isTerminalType, type RunEvent } from '../events/run-event.js';
import type { ServerToClientEvents, ClientToServerEvents } from '../edge/wire-events.js';

/** What the demo needs to know of a run, as REST and acks give it. */
export interface DemoRun {
  id: string;
  agent: string;
  status: string;
  result?: unknown;
  createdAt: string;
  startedAt?: string;
  endedAt?: string;
}

/** The demo's runs take a second or two. */
const PATIENCE_MS = 60_000;

/** One signed-in user of the demo: a real HTTP client and a real socket that records what it receives. */
export class DemoUser {
  readonly received: RunEvent[] = [];
  readonly runIds: string[] = [];
  private readonly socket: Socket<ServerToClientEvents, ClientToServerEvents>;
  private readonly ended = Promise.withResolvers<void>();
  private expectedRuns = Number.POSITIVE_INFINITY;

  constructor(
    readonly id: string,
    private readonly url: string,
    private readonly token: string,
    onEvent: (event: RunEvent) => void,
  ) {
    this.socket = io(`${url}/agents`, { auth: { token, after: 0 }, transports: ['websocket'], reconnection: false });
    this.socket.onAny((_name: string, data: RunEvent) => {
      if (!('runSeq' in data)) return;
      this.received.push(data);
      onEvent(data);
      this.lookForEnd();
    });
  }

  connected(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.socket.once('ready', () => resolve());
      this.socket.once('connect_error', reject);
    });
  }

  async startOverSocket(agent: string, input: object): Promise<void> {
    const ack = await this.socket.timeout(10_000).emitWithAck('run:start', { agent, input });
    if (!ack.ok) throw new Error(`run:start was refused: ${ack.error.code}: ${ack.error.message}`);
    this.runIds.push(ack.data.id);
  }

  async startOverHttp(agent: string, input: object): Promise<void> {
    const { status, body } = await this.http('POST', '/v1/runs', { agent, input });
    if (status !== 202) throw new Error(`POST /v1/runs was answered with ${status}: ${JSON.stringify(body)}`);
    this.runIds.push((body as DemoRun).id);
  }

  /** Resolves when this user's socket has told the end of each of the runs that were started. */
  allEnded(): Promise<void> {
    this.expectedRuns = this.runIds.length;
    this.lookForEnd();
    const told = this.received.length;
    const late = () =>
      this.ended.reject(
        new Error(`${this.id}: after ${PATIENCE_MS / 1_000} s not every run has ended (${told} events so far)`),
      );
    const timer = setTimeout(late, PATIENCE_MS);
    return this.ended.promise.finally(() => clearTimeout(timer));
  }

  async http(method: string, path: string, body?: object): Promise<{ status: number; body: unknown }> {
    const headers = { authorization: `Bearer ${this.token}`, ...(body ? { 'content-type': 'application/json' } : {}) };
    const response = await fetch(this.url + path, { method, headers, body: body && JSON.stringify(body) });
    return { status: response.status, body: await response.json() };
  }

  close(): void {
    this.socket.disconnect();
  }

  private lookForEnd(): void {
    const ends = this.received.filter((event) => isTerminalType(event.type));
    if (ends.length >= this.expectedRuns) this.ended.resolve();
  }
}
