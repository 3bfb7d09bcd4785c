import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { Logger } from '@nestjs/common';
import { RedisConnections } from '../../src/dispatch/redis-connections.js';
import { until } from '../contracts/run-dispatcher.contract.js';
import { CuttingProxy } from '../servers/cutting-proxy.js';
import { freePort } from '../servers/free-port.js';
import { RedisServer } from '../servers/redis.js';
import { openConnections } from './redis-world.js';

const servers: RedisServer[] = [];
const warnings: string[] = [];

beforeAll(() =>
  Logger.overrideLogger({
    log: () => undefined,
    error: () => undefined,
    warn: (...texts: unknown[]) => warnings.push(texts.join(' ')),
  }),
);
beforeEach(() => warnings.splice(0));
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});

async function startOwn(...options: string[]): Promise<RedisServer> {
  const server = await RedisServer.startOwn(...options);
  servers.push(server);
  return server;
}

const open = (redisUrl: string) => openConnections({ redisUrl, redisPrefix: 'test' });

describe('the boot', () => {
  it('stops when nothing answers at REDIS_URL, says where, and does not show the password', async () => {
    const port = await freePort();
    const failing = open(`redis://:hunter2@127.0.0.1:${port}`);
    await expect(failing).rejects.toMatchObject({
      code: 'redis_unavailable',
      message: `Redis at 127.0.0.1:${port} can't be reached (ECONNREFUSED). Start it, or correct REDIS_URL`,
    });
  });

  it('stops when Redis refuses the password', async () => {
    const server = await startOwn();
    await server.command('CONFIG', 'SET', 'requirepass', 'right');
    const failing = open(server.url.replace('redis://', 'redis://:hunter2@'));
    await expect(failing).rejects.toMatchObject({ code: 'invalid_config' });
    await expect(failing).rejects.not.toMatchObject({ message: expect.stringContaining('hunter2') as string });
  });

  it('stops when the server is too old', async () => {
    const old = await oldRedis();
    try {
      await expect(open(old.url)).rejects.toMatchObject({
        code: 'unsupported_redis',
        message: 'REDIS_URL leads to Redis 5.0.14; Carrel needs 6.2 or newer. Upgrade the server, or name another one',
      });
    } finally {
      old.close();
    }
  });

  it('warns when Redis may throw away what is in the queue', async () => {
    const { url } = await startOwn('--maxmemory-policy', 'allkeys-lru');
    const connections = await open(url);
    await connections.onApplicationShutdown();
    expect(warnings.join('\n')).toContain('set maxmemory-policy to noeviction');
  });
});

describe('the connections', () => {
  let connections: RedisConnections;
  afterEach(() => connections.onApplicationShutdown());

  it('say once that Redis is away, and are degraded until it is back', async () => {
    const server = await startOwn();
    connections = await open(server.url);
    const { sender } = await connections.talk();
    expect(await connections.check()).toEqual({ status: 'ok' });
    await server.kill();
    await until(async () => (await connections.check()).status === 'degraded');
    await expect(sender.publish('test', 'x')).rejects.toThrow();
    await server.restart();
    await until(async () => (await connections.check()).status === 'ok');
    expect(warnings).toHaveLength(1);
    expect(await sender.publish('test', 'x')).toBe(0);
  });

  it('notice a network that swallows everything', async () => {
    const server = await startOwn();
    const proxy = await CuttingProxy.to(server.url);
    connections = await open(proxy.url);
    await connections.talk();
    proxy.muteAnswers();
    await until(async () => (await connections.check()).status === 'degraded');
    proxy.close();
  });
});

/** Says what a Redis 5 says. */
async function oldRedis(): Promise<{ url: string; close(): void }> {
  const info = '# Server\r\nredis_version:5.0.14\r\nloading:0\r\n';
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      for (const [, name] of data.toString().matchAll(/\*\d+\r\n\$\d+\r\n(\w+)\r\n/g)) {
        if (/^info$/i.test(name!)) socket.write(`$${info.length}\r\n${info}\r\n`);
        else if (/^hello$/i.test(name!)) socket.write("-ERR unknown command 'HELLO'\r\n");
        else socket.write('+OK\r\n');
      }
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => void server.close() };
}
