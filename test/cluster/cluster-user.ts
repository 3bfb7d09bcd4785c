import { randomUUID } from 'node:crypto';
import { io, type Socket } from 'socket.io-client';
import type { RunEvent } from '../../src/events/run-event.js';
import type { CarrelProcess } from '../carrel-process.js';
import { isTerminal } from '../carrel-server.js';
import type { Cluster } from '../servers/cluster.js';

const PATIENCE_MS = 40_000;
/** Between two tries when a node is away, or the lane is full. */
const PAUSE_MS = 50;

/**
 * A client that outlives nodes: it starts runs at whichever node answers, and listens at one node at a time, from the last
 * event that it has heard.
 */
export class ClusterUser {
  readonly accepted: string[] = [];
  /** By run: when it was accepted, and when its end was heard. */
  readonly acceptedAtMs = new Map<string, number>();
  readonly endedAtMs = new Map<string, number>();
  /** In the order of their arrival, and when each came. */
  readonly heard: RunEvent[] = [];
  readonly heardAtMs: number[] = [];
  /** Events that came twice or out of order, or of somebody else. */
  readonly faults: string[] = [];
  private readonly waiting = new Set<() => void>();
  private socket: Socket | undefined;
  private turn = 0;
  private isGone = false;

  constructor(
    private readonly cluster: Cluster,
    readonly id: string,
    readonly token: string,
  ) {}

  static async of(cluster: Cluster, id: string): Promise<ClusterUser> {
    return new ClusterUser(cluster, id, await cluster.token(id));
  }

  /** Starts a run, once, however often it has to ask. @returns its id */
  async start(agent: string, input: unknown): Promise<string> {
    const key = randomUUID();
    for (const until = performance.now() + PATIENCE_MS; performance.now() < until;) {
      const response = await this.ask(this.next(), 'POST', '/v1/runs', { agent, input }, { 'idempotency-key': key });
      if (response?.status === 202) {
        const { id } = (await response.json()) as { id: string };
        this.accepted.push(id);
        this.acceptedAtMs.set(id, performance.now());
        return id;
      }
      if (response && response.status < 500 && response.status !== 429) throw new Error(await response.text());
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    throw new Error(`no node has taken a run within ${PATIENCE_MS} ms`);
  }

  /** Undefined when the node is away, or does not answer in time. */
  async ask(
    node: CarrelProcess | undefined,
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Response | undefined> {
    if (!node) return undefined;
    const init = {
      method,
      headers: {
        authorization: `Bearer ${this.token}`,
        ...(body ? { 'content-type': 'application/json' } : {}),
        ...headers,
      },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(5_000),
    };
    return fetch(node.url + path, init).catch(() => undefined);
  }

  /** Listens at this node from now on, or at another one when it is away. */
  follow(node = this.next()): void {
    this.socket?.removeAllListeners().disconnect();
    if (this.isGone || !node) return this.followLater();
    const after = this.heard.at(-1)?.seq ?? 0;
    const options = { transports: ['websocket'], reconnection: false, forceNew: true, timeout: 3_000 };
    const socket = io(`${node.url}/agents`, { ...options, auth: { token: this.token, after } });
    this.socket = socket;
    socket.onAny((_name, data: unknown) => {
      if (typeof data === 'object' && data !== null && 'runSeq' in data) this.hear(data as RunEvent);
    });
    socket.once('disconnect', () => this.followLater());
    socket.once('connect_error', () => this.followLater());
  }

  leave(): void {
    this.isGone = true;
    this.socket?.removeAllListeners().disconnect();
  }

  /** Resolves when this has been heard. */
  until(fits: (event: RunEvent) => boolean, what = 'an event'): Promise<RunEvent> {
    return this.wait(() => this.heard.find(fits), what);
  }

  untilEnd(runId: string): Promise<RunEvent> {
    return this.until((event) => event.runId === runId && isTerminal(event), `the end of ${runId}`);
  }

  /** Resolves when all runs that were accepted have ended. */
  async untilAllEnded(): Promise<void> {
    await this.wait(
      () => this.accepted.every((id) => this.endedAtMs.has(id)) || undefined,
      `the end of all ${this.accepted.length} runs`,
    );
  }

  private next(): CarrelProcess | undefined {
    const { nodes } = this.cluster;
    return nodes[this.turn++ % Math.max(1, nodes.length)];
  }

  private followLater(): void {
    if (!this.isGone) setTimeout(() => this.isGone || this.follow(), PAUSE_MS).unref();
  }

  private hear(event: RunEvent): void {
    const last = this.heard.at(-1)?.seq ?? 0;
    if (event.seq !== last + 1) this.faults.push(`${event.seq} came after ${last}`);
    this.heard.push(event);
    this.heardAtMs.push(performance.now());
    if (isTerminal(event)) this.endedAtMs.set(event.runId, performance.now());
    for (const look of this.waiting) look();
  }

  private wait<T>(look: () => T | undefined, what: string): Promise<T> {
    return new Promise((resolve, reject) => {
      const check = () => {
        const found = look();
        if (found === undefined) return;
        clearTimeout(timer);
        this.waiting.delete(check);
        resolve(found);
      };
      const timer = setTimeout(() => {
        this.waiting.delete(check);
        const last = JSON.stringify(this.heard.at(-1));
        reject(
          new Error(`${this.id} waited ${PATIENCE_MS} ms for ${what}; ${this.heard.length} heard, the last: ${last}`),
        );
      }, PATIENCE_MS);
      this.waiting.add(check);
      check();
    });
  }
}
