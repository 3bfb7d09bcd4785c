import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { AddressInfo } from 'node:net';
import type { Server } from 'socket.io';
import { io, type ManagerOptions, type SocketOptions } from 'socket.io-client';
import { CARREL_CONFIG, type CarrelConfig } from '../../src/config/config.js';
import { loadConfig } from '../../src/config/load-config.js';
import { AgentsGateway } from '../../src/edge/agents.gateway.js';
import { RunQuestions } from '../../src/execution/run-questions.service.js';
import { SocketAdmission } from '../../src/edge/socket-admission.service.js';
import { CarrelIoAdapter } from '../../src/edge/socket-io.adapter.js';
import { SocketMessages } from '../../src/edge/socket-messages.service.js';
import { signToken } from '../../src/edge/token-signer.js';
import { TokenVerifier } from '../../src/edge/token-verifier.service.js';
import { UserFeeds } from '../../src/edge/user-feeds.service.js';
import { EventBus } from '../../src/events/event-bus.js';
import { EVENT_JOURNAL } from '../../src/events/event-journal.port.js';
import { ApprovalService } from '../../src/execution/approval.service.js';
import { Tracing } from '../../src/execution/tracing/tracing.service.js';
import { ExecutionService } from '../../src/execution/execution.service.js';
import { Readiness } from '../../src/execution/readiness.js';
import { CLOCK, systemClock, type Clock } from '../../src/shared/clock.js';
import { GatewayClient } from './gateway-client.js';
import { RawClient } from './gateway-raw-client.js';
import { MemoryJournal, turns, type ReadDelay } from './gateway-journal.js';
import { ScriptedApprovals, ScriptedExecution } from './gateway-execution.js';

interface GatewayServerOptions {
  env?: Record<string, string>;
  delay?: ReadDelay;
  clock?: Clock;
}

/** The Socket.IO edge alone: the real gateway on a real port, with a journal in memory and scripted runs. */
export class GatewayServer implements AsyncDisposable {
  readonly clients = new Set<GatewayClient>();

  private constructor(
    readonly app: NestFastifyApplication,
    readonly config: CarrelConfig,
    readonly journal: MemoryJournal,
    readonly execution: ScriptedExecution,
    readonly approvals: ScriptedApprovals,
    private readonly clock: Clock,
  ) {}

  static async start({ env, delay, clock = systemClock }: GatewayServerOptions = {}): Promise<GatewayServer> {
    const config = loadConfig({
      CARREL_JWT_SECRET: 'a secret that only this test knows',
      CARREL_LOG_LEVEL: 'silent',
      ...env,
    });
    const journal = new MemoryJournal(delay);
    const execution = new ScriptedExecution();
    const approvals = new ScriptedApprovals();
    @Module({
      providers: [
        AgentsGateway,
        EventBus,
        Readiness,
        RunQuestions,
        SocketAdmission,
        SocketMessages,
        TokenVerifier,
        UserFeeds,
        { provide: Tracing, useFactory: () => Tracing.open(config) },
        { provide: CARREL_CONFIG, useValue: config },
        { provide: CLOCK, useValue: clock },
        { provide: EVENT_JOURNAL, useValue: journal },
        { provide: ApprovalService, useValue: approvals },
        { provide: ExecutionService, useValue: execution },
      ],
    })
    class GatewayModule {}
    const app = await NestFactory.create<NestFastifyApplication>(GatewayModule, new FastifyAdapter(), {
      logger: false,
    });
    app.useWebSocketAdapter(new CarrelIoAdapter(app, config));
    await app.listen(0, '127.0.0.1');
    return new GatewayServer(app, config, journal, execution, approvals, clock);
  }

  get url(): string {
    const { port } = this.app.getHttpServer().address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  get gateway(): AgentsGateway {
    return this.app.get(AgentsGateway);
  }

  /** How many listen to the bus for a user. */
  listeners(userId: string): number {
    const bus = this.app.get(EventBus) as unknown as { listeners: Map<string, Set<unknown>> };
    return bus.listeners.get(userId)?.size ?? 0;
  }

  /** Resolves when the server holds nothing more for a user's sockets. */
  async whenGone(userId: string): Promise<void> {
    while (this.listeners(userId) > 0) await turns(1);
  }

  /** socket.io's own server. */
  get io(): Server {
    const gateway = this.gateway as unknown as { namespace: { server: Server } };
    return gateway.namespace.server;
  }

  token(userId: string, ttlSeconds = 3600): Promise<string> {
    return signToken(this.config, { userId, ttlSeconds }, this.clock);
  }

  /** A client that has not connected yet. */
  client(
    auth: Record<string, unknown>,
    options: Partial<ManagerOptions & SocketOptions> = {},
    namespace = '/agents',
  ): GatewayClient {
    const socket = io(this.url + namespace, {
      auth,
      transports: ['websocket'],
      forceNew: true,
      autoConnect: false,
      reconnection: false,
      ...options,
    });
    const client = new GatewayClient(socket);
    this.clients.add(client);
    return client;
  }

  /** A client that is `ready`. */
  async connect(
    userId: string,
    after?: number,
    options: Partial<ManagerOptions & SocketOptions> = {},
  ): Promise<GatewayClient> {
    const client = this.client({ token: await this.token(userId), ...(after === undefined ? {} : { after }) }, options);
    client.socket.connect();
    await client.notice('ready');
    return client;
  }

  /** A WebSocket without Socket.IO's client, for what that one would not send. */
  async raw(): Promise<RawClient> {
    const raw = new RawClient(`${this.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
    await raw.received((text) => text.startsWith('0'));
    return raw;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.clients) client.close();
    await this.app.close();
  }
}
