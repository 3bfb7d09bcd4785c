import { setTimeout } from 'node:timers/promises';
import { Logger, type OnApplicationShutdown } from '@nestjs/common';
import { Redis, type RedisOptions } from 'ioredis';
import type { ProfileConfig } from '../config/config.js';
import type { HealthPart, PartHealth } from '../execution/health-parts.js';
import { isCarrelError } from '../shared/errors.js';
import { checkRedis, whyUnusable } from './redis-check.js';

type DistributedProfile = Extract<ProfileConfig, { kind: 'distributed' }>;

const CONNECT_TIMEOUT_MS = 5_000;
/** Who has asked something and hears nothing for so long is not connected any more, whatever the network says. */
const SILENCE_MS = 2_000;
const HEARTBEAT_MS = 1_000;
const CLOSE_WITHIN_MS = 1_000;
const MAX_RETRY_DELAY_MS = 1_000;

/** For commands that are not worth anything later: they fail at once while Redis is away. */
export const AT_ONCE: RedisOptions = {
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  socketTimeout: SILENCE_MS,
};

export interface Talk {
  readonly sender: Redis;
  /** Whoever has channels opens them anew whenever it is ready. */
  readonly subscriber: Redis;
}

/** This process's connections to Redis. They come back by themselves; nothing that may not get lost is on their other end. */
export class RedisConnections implements HealthPart, OnApplicationShutdown {
  readonly name = 'redis';
  private readonly logger = new Logger('Redis');
  private readonly clients = new Set<Redis>();
  private readonly closers: (() => Promise<void>)[] = [];
  private readonly lost = new Set<Redis>();
  private heartbeat: NodeJS.Timeout | undefined;
  private isClosing = false;
  private talking: Promise<Talk> | undefined;

  private constructor(private readonly profile: DistributedProfile) {}

  /** @throws CarrelError `redis_unavailable` | `unsupported_redis` | `invalid_config` */
  static async open(profile: DistributedProfile): Promise<RedisConnections> {
    const connections = new RedisConnections(profile);
    const probe = new Redis(profile.redisUrl, {
      ...AT_ONCE,
      lazyConnect: true,
      connectTimeout: CONNECT_TIMEOUT_MS,
      retryStrategy: () => null,
    });
    let reason: unknown;
    probe.on('error', (error) => (reason = error));
    try {
      await probe.connect();
      await checkRedis(probe);
    } catch (error) {
      if (isCarrelError(error)) throw error;
      throw whyUnusable(reason ?? error, profile.redisUrl);
    } finally {
      probe.disconnect();
    }
    connections.heartbeat = setInterval(() => connections.beat(), HEARTBEAT_MS).unref();
    return connections;
  }

  get prefix(): string {
    return this.profile.redisPrefix;
  }

  /** A connection of one's own, which is ready unless Redis has gone since the boot. */
  async connect(purpose: string, options: RedisOptions): Promise<Redis> {
    const client = new Redis(this.profile.redisUrl, {
      connectTimeout: CONNECT_TIMEOUT_MS,
      connectionName: `carrel-${purpose}`,
      retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 10), MAX_RETRY_DELAY_MS),
      lazyConnect: true,
      ...options,
    });
    this.clients.add(client);
    client.on('error', () => undefined); // `close` follows, and says enough
    client.on('close', () => this.note(client, false));
    client.on('ready', () => this.note(client, true));
    await client.connect().catch(() => undefined); // it tries again by itself
    return client;
  }

  /** Of one that nobody needs any more. Whoever waits for an answer of it gets an error. */
  disconnect(client: Redis): void {
    this.note(client, true); // that it is not there tells nothing about Redis
    this.clients.delete(client);
    client.disconnect();
  }

  /** What everybody here says to the other nodes, and hears of them, goes over these two. */
  talk(): Promise<Talk> {
    this.talking ??= this.openTalk();
    return this.talking;
  }

  /** Is carried out before the connections are closed. */
  beforeClose(closer: () => Promise<void>): void {
    this.closers.push(closer);
  }

  async check(): Promise<PartHealth> {
    if (this.lost.size === 0) return { status: 'ok' };
    return {
      status: 'degraded',
      reason: 'Redis is away: runs of other nodes and their events come late, none is lost',
    };
  }

  /** Nest shuts global modules down after all others: what is sent while they stop finds the connections open. */
  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.heartbeat);
    this.isClosing = true;
    for (const close of this.closers)
      await Promise.race([close(), setTimeout(CLOSE_WITHIN_MS, undefined, { ref: false })]);
    for (const client of this.clients) client.disconnect();
  }

  private async openTalk(): Promise<Talk> {
    // what arises in one tick goes out at once
    const sender = await this.connect('out', { ...AT_ONCE, enableAutoPipelining: true });
    return { sender, subscriber: await this.connect('in', { ...AT_ONCE, autoResubscribe: false }) };
  }

  /** A network that swallows everything is noticed by asking. */
  private beat(): void {
    for (const client of this.clients) if (client.status === 'ready') client.ping().catch(() => undefined);
  }

  private note(client: Redis, isThere: boolean): void {
    if (this.isClosing || !this.clients.has(client)) return;
    const before = this.lost.size;
    if (isThere) this.lost.delete(client);
    else this.lost.add(client);
    if (before === 0 && this.lost.size > 0)
      this.logger.warn('Redis is away; Carrel goes on without it, and tries again');
    if (before > 0 && this.lost.size === 0) this.logger.log('Redis is back');
  }
}
