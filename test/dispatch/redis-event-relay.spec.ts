import { Redis } from 'ioredis';
import { Logger } from '@nestjs/common';
import { RedisEventRelay } from '../../src/dispatch/redis-event-relay.js';
import { RelayMeter } from '../../src/dispatch/relay-meter.js';
import type { RedisConnections } from '../../src/dispatch/redis-connections.js';
import { EventFeed } from '../../src/edge/event-feed.js';
import { EventBus } from '../../src/events/event-bus.js';
import type { EventJournal } from '../../src/events/event-journal.port.js';
import { MetricsRegistry } from '../../src/execution/metrics/metrics-registry.js';
import { systemClock } from '../../src/shared/clock.js';
import { newId, type UserId } from '../../src/shared/ids.js';
import { alice, bob } from '../contracts/storage-world.js';
import { until } from '../contracts/run-dispatcher.contract.js';
import { CuttingProxy } from '../servers/cutting-proxy.js';
import { RedisServer } from '../servers/redis.js';
import { openConnections } from './redis-world.js';
import { SharedJournal } from './shared-journal.js';

let server: RedisServer;
const closers: (() => unknown)[] = [];

beforeAll(async () => {
  Logger.overrideLogger(false);
  server = await RedisServer.start();
});
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});
afterAll(() => server.stop());

/** One node: what it commits, and what a reader of a user's events gets there. */
async function openNode(journal: SharedJournal, redisPrefix: string, redisUrl = server.url) {
  const connections: RedisConnections = await openConnections({ redisUrl, redisPrefix });
  closers.push(() => connections.onApplicationShutdown());
  const registry = new MetricsRegistry();
  const relay = await RedisEventRelay.create(connections, new RelayMeter(registry), systemClock);
  const own = journal.node();
  const bus = new EventBus(own as unknown as EventJournal, relay, systemClock);
  const read = async (userId: UserId, runId?: ReturnType<typeof newId<'run'>>) => {
    const seqs: number[] = [];
    const owners = new Set<UserId>();
    const feed = new EventFeed({
      journal: own as unknown as EventJournal,
      bus,
      userId,
      after: 0,
      runId,
      send: (event) => (seqs.push(event.seq), owners.add(event.userId), true),
      failed: (error) => {
        throw error;
      },
    });
    await feed.start();
    closers.push(() => feed.stop());
    return { seqs, owners };
  };
  return { connections, registry, read, commit: own.commit };
}

const range = (to: number) => Array.from({ length: to }, (_, i) => i + 1);

describe('events of one user from several nodes', () => {
  it('reach readers at all of them, in order and once, and nobody else', async () => {
    const [journal, prefix] = [new SharedJournal(), server.prefix()];
    const nodes = [await openNode(journal, prefix), await openNode(journal, prefix), await openNode(journal, prefix)];
    const readers = await Promise.all(nodes.flatMap(({ read }) => [read(alice), read(bob)]));
    for (let i = 0; i < 200; i++) {
      nodes[i % 3]!.commit(i % 5 === 0 ? bob : alice, 1 + (i % 2));
      if (i % 7 === 0) await new Promise(setImmediate);
    }
    const [ofAlice, ofBob] = [range(journal.last(alice)), range(journal.last(bob))];
    await until(() => readers.every(({ seqs }, i) => seqs.length >= (i % 2 ? ofBob : ofAlice).length));
    readers.forEach(({ seqs, owners }, i) => {
      expect(seqs).toEqual(i % 2 ? ofBob : ofAlice);
      expect([...owners]).toEqual([i % 2 ? bob : alice]);
    });
    expect(await nodes[0]!.registry.metrics()).toMatch(/carrel_relay_lag_seconds_count [1-9]/);
    expect(await nodes[0]!.registry.metrics()).toMatch(/carrel_relay_followed 2/);
  });

  it('are complete when messages are lost, come twice or in another order', async () => {
    const journal = new SharedJournal();
    const [there, here] = [server.prefix(), server.prefix()];
    const far = await openNode(journal, there);
    const near = await openNode(journal, here);
    await badNetwork(there, here);
    const whole = await near.read(alice);
    const run = newId('run');
    const ofRun = await near.read(alice, run);
    const expected: number[] = [];
    for (let i = 0; i < 120; i++) {
      far.commit(alice, 1, i % 2 ? run : undefined);
      if (i % 2) expected.push(journal.last(alice));
      if (i % 3 === 0) await new Promise(setImmediate);
    }
    near.commit(alice, 1);
    await until(() => whole.seqs.length >= 121 && ofRun.seqs.length >= 60, 'all that was committed');
    expect(whole.seqs).toEqual(range(121));
    expect(ofRun.seqs).toEqual(expected);
  });

  it('are late and none is lost when Redis is killed, and when it is back', async () => {
    const own = await RedisServer.startOwn();
    closers.push(() => own.stop());
    const [journal, prefix] = [new SharedJournal(), own.prefix()];
    const [far, near] = [await openNode(journal, prefix, own.url), await openNode(journal, prefix, own.url)];
    const reader = await near.read(alice);
    const ofBob = await near.read(bob);
    far.commit(alice, 3);
    await until(() => reader.seqs.length === 3);
    await own.kill();
    far.commit(alice, 2);
    near.commit(alice, 1);
    await until(() => reader.seqs.length === 6, 'what was committed without Redis');
    await own.restart();
    await until(async () => (await far.connections.check()).status === 'ok');
    far.commit(alice, 2);
    far.commit(bob, 1);
    await until(() => reader.seqs.length === 8 && ofBob.seqs.length === 1, 'what was committed since');
    expect(reader.seqs).toEqual(range(8));
  });

  it('come as soon as a node that was cut off is heard again, although the readers’ node was not', async () => {
    const [journal, prefix] = [new SharedJournal(), server.prefix()];
    const proxy = await CuttingProxy.to(server.url);
    closers.push(() => proxy.close());
    const [far, near] = [await openNode(journal, prefix, proxy.url), await openNode(journal, prefix)];
    const reader = await near.read(alice);
    far.commit(alice, 1);
    await until(() => reader.seqs.length === 1);
    proxy.refuse();
    await until(async () => (await far.connections.check()).status === 'degraded');
    far.commit(alice, 2);
    expect(await far.registry.metrics()).toMatch(/carrel_relay_unsent 1/);
    proxy.accept();
    await until(() => reader.seqs.length === 3, 'what was committed meanwhile');
    expect(reader.seqs).toEqual(range(3));
  });

  it('are read from the journal when they were committed while the reader began to listen', async () => {
    const [journal, prefix] = [new SharedJournal(), server.prefix()];
    const [far, near] = [await openNode(journal, prefix), await openNode(journal, prefix)];
    for (let i = 0; i < 30; i++) {
      const user = `user-${i}` as UserId;
      const reading = near.read(user);
      for (let j = 0; j < 10; j++) {
        far.commit(user, 1);
        await new Promise(setImmediate);
      }
      const { seqs } = await reading;
      await until(() => seqs.length >= 10, `the last of ${user}`);
      expect(seqs).toEqual(range(10));
    }
  });
});

/** Carries messages from one installation's channels to another's, badly. */
async function badNetwork(from: string, to: string): Promise<void> {
  const [ear, mouth] = [new Redis(server.url), new Redis(server.url)];
  closers.push(() => (ear.disconnect(), mouth.disconnect()));
  let heard = 0;
  let kept: string | undefined;
  ear.on('pmessage', (_, channel: string, text: string) => {
    const send = (each: string) => void mouth.publish(to + channel.slice(from.length), each);
    heard += 1;
    if (heard % 5 === 0) return;
    if (heard % 7 === 0) {
      kept = text;
      return;
    }
    send(text);
    if (heard % 3 === 0) send(text);
    if (kept) send(kept);
    kept = undefined;
  });
  await ear.psubscribe(`${from}:events:*`);
}
