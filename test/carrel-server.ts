import type { Type } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { io, type Socket } from 'socket.io-client';
import { loadConfig } from '../src/config/load-config.js';
import type { CarrelConfig } from '../src/config/config.js';
import { createCarrelApp } from '../src/create-app.js';
import { signToken } from '../src/edge/token-signer.js';
import type { RunEvent } from '../src/events/run-event.js';
import type { GivenModels } from '../src/execution/models/providers/load-models.js';
import { ExecutionEngineFactory } from '../src/execution/execution-engine.factory.js';

import { profileSettings } from './servers/profile.js';

/** A real server on a free port, in a data folder of its own, for real clients. Close it (`await using`, or `close`). */
export class CarrelServer implements AsyncDisposable {
  private readonly sockets = new Set<Socket>();
  private closing: Promise<void> | undefined;

  private constructor(
    readonly app: NestFastifyApplication,
    readonly config: CarrelConfig,
    readonly url: string,
    private readonly ownsData: boolean,
  ) {}

  static async start(
    options: {
      agents?: readonly Type[];
      models?: GivenModels;
      env?: Record<string, string>;
      /** What no setting says. */
      configure?: (config: CarrelConfig) => CarrelConfig;
      dataDir?: string;
      logLines?: string[];
    } = {},
  ): Promise<CarrelServer> {
    const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'carrel-test-')));
    const { configure = (loaded) => loaded } = options;
    const config = configure(
      loadConfig({
        CARREL_LOG_LEVEL: process.env.CARREL_TEST_LOG ?? 'silent',
        CARREL_USER_STARTS_PER_MINUTE: '100000',
        PORT: '0',
        ...(await profileSettings(dataDir)),
        ...options.env,
        CARREL_DATA_DIR: dataDir,
      }),
    );
    const { logLines } = options;
    const logTo = logLines && { write: (line: string) => void logLines.push(line) };
    const app = await createCarrelApp({ config, agents: options.agents, models: options.models, logTo });
    await app.listen(0, '127.0.0.1');
    return new CarrelServer(app, config, await app.getUrl(), options.dataDir === undefined);
  }

  token(userId: string, facts: { roles?: string[]; ttlSeconds?: number } = {}): Promise<string> {
    return signToken(this.config, { userId, roles: facts.roles ?? [], ttlSeconds: facts.ttlSeconds ?? 3600 });
  }

  /** One user's view of the server, over real HTTP and Socket.IO. */
  async as(userId: string): Promise<CarrelUser> {
    return new CarrelUser(this, userId, await this.token(userId));
  }

  track(socket: Socket): Socket {
    this.sockets.add(socket);
    return socket;
  }

  /** What is still held in the server; zeros when nothing runs. */
  get held(): { liveContexts: number; active: number } {
    const { liveContexts, active } = this.app.get(ExecutionEngineFactory).report();
    return { liveContexts, active };
  }

  close(): Promise<void> {
    return (this.closing ??= this.closeOnce());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private async closeOnce(): Promise<void> {
    for (const socket of this.sockets) socket.disconnect();
    await this.app.close();
    if (this.ownsData) await rm(this.config.data.dir, { recursive: true, force: true });
  }
}

export type Ack<Data = Record<string, unknown>> =
  { ok: true; data: Data } | { ok: false; error: { code: string; message: string } };

export interface RunJson {
  id: string;
  status: string;
  agent: string;
  threadId: string;
  input: unknown;
  result?: unknown;
  error?: { code: string; message: string; supportCode: string };
  attempt: number;
}

/** A user of a test server: HTTP with their token, and sockets that record what they receive. */
export class CarrelUser {
  constructor(
    private readonly server: { readonly url: string; track(socket: Socket): Socket },
    readonly id: string,
    readonly token: string,
  ) {}

  async http<Body = Record<string, unknown>>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; body: Body; headers: Headers; text: string }> {
    const response = await fetch(this.server.url + path, {
      method,
      headers: {
        authorization: `Bearer ${this.token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    const json =
      response.headers.get('content-type')?.includes('json') && text ? (JSON.parse(text) as Body) : ({} as Body);
    return { status: response.status, body: json, headers: response.headers, text };
  }

  /** Starts a run over HTTP and expects it to be accepted. */
  async start(agent: string, input: unknown, more: Record<string, unknown> = {}): Promise<RunJson> {
    const { status, body, text } = await this.http<RunJson>('POST', '/v1/runs', { agent, input, ...more });
    if (status !== 202) throw new Error(`start was answered with ${status}: ${text}`);
    return body;
  }

  /** The run at its end. */
  async end(runId: string): Promise<RunJson> {
    const socket = await this.connect({ after: 0 });
    await socket.until((event) => event.runId === runId && isTerminal(event));
    socket.close();
    return (await this.http<RunJson>('GET', `/v1/runs/${runId}`)).body;
  }

  /** A socket that is `ready`, and records every event from then on. */
  async connect(options: { after?: number; transports?: string[] } = {}): Promise<RecordingSocket> {
    const socket = this.server.track(
      io(`${this.server.url}/agents`, {
        auth: { token: this.token, ...(options.after === undefined ? {} : { after: options.after }) },
        transports: options.transports ?? ['websocket'],
        reconnection: false,
        forceNew: true,
      }),
    );
    const recording = new RecordingSocket(socket);
    await recording.ready;
    return recording;
  }
}

export function isTerminal(event: RunEvent): boolean {
  return event.type === 'agent_completed' || event.type === 'agent_error' || event.type === 'agent_cancelled';
}

/** A client socket with all the events that it has received, in the order of their arrival. */
export class RecordingSocket {
  readonly events: RunEvent[] = [];
  /** What came that is no event of a run: `ready`, `stream_gap`, … */
  readonly notices: { name: string; data: unknown }[] = [];
  readonly ready: Promise<{ userId: string; seq: number }>;
  private readonly waiting = new Set<() => void>();

  constructor(readonly socket: Socket) {
    this.ready = new Promise((resolve, reject) => {
      socket.once('ready', resolve);
      socket.once('connect_error', reject);
    });
    socket.onAny((name: string, data: unknown) => {
      if (isRunEvent(data)) this.events.push(data);
      else this.notices.push({ name, data });
      for (const look of this.waiting) look();
    });
  }

  /** Resolves with the first event, past or future, that fits. */
  until(fits: (event: RunEvent) => boolean, timeoutMs = 20_000): Promise<RunEvent> {
    return this.wait(() => this.events.find(fits), timeoutMs);
  }

  /** Resolves when so many events have come. */
  async count(n: number, timeoutMs = 20_000): Promise<void> {
    await this.wait(() => (this.events.length >= n ? true : undefined), timeoutMs);
  }

  notice(name: string, timeoutMs = 20_000): Promise<unknown> {
    return this.wait(() => this.notices.find((notice) => notice.name === name), timeoutMs).then(({ data }) => data);
  }

  emit<Data = Record<string, unknown>>(name: string, payload: unknown): Promise<Ack<Data>> {
    return this.socket.timeout(20_000).emitWithAck(name, payload) as Promise<Ack<Data>>;
  }

  close(): void {
    this.socket.disconnect();
  }

  private wait<T>(look: () => T | undefined, timeoutMs: number): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.waiting.delete(check);
        reject(
          new Error(
            `waited ${timeoutMs} ms in vain; ${this.events.length} events have come, the last: ${JSON.stringify(this.events.at(-1))}`,
          ),
        );
      }, timeoutMs);
      const check = () => {
        const found = look();
        if (found === undefined) return;
        clearTimeout(timer);
        this.waiting.delete(check);
        resolve(found);
      };
      this.waiting.add(check);
      check();
    });
  }
}

function isRunEvent(data: unknown): data is RunEvent {
  return typeof data === 'object' && data !== null && 'runSeq' in data;
}
