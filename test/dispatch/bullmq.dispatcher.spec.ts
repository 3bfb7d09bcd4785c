import { Logger } from '@nestjs/common';
import { describeRunDispatcher, refOf, StagedConsumer, until } from '../contracts/run-dispatcher.contract.js';
import type { ReservedSlot } from '../../src/execution/run-dispatcher.port.js';
import type { RunId } from '../../src/shared/ids.js';
import { RedisServer } from '../servers/redis.js';
import { openNode, type NodeSettings, type RedisNode } from './redis-world.js';

let server: RedisServer;
let nodes: RedisNode[] = [];

const open = async (settings: Omit<NodeSettings, 'redisUrl'> & { redisUrl?: string }) => {
  const node = await openNode({ redisUrl: server.url, ...settings });
  nodes.push(node);
  return node;
};

beforeAll(async () => {
  Logger.overrideLogger(false);
  server = await RedisServer.start();
});
afterEach(async () => {
  for (const node of nodes) await node.close();
  nodes = [];
});
afterAll(() => server.stop());

describeRunDispatcher('BullMQ', async (slots) => (await open({ redisPrefix: server.prefix(), slots })).dispatcher);

describe('several nodes with one queue', () => {
  const together = () => {
    const claims = new Set<RunId>();
    return { redisPrefix: server.prefix(), consumer: () => new StagedConsumer(claims) };
  };

  it('carry out each run once, and none more than it has slots for', async () => {
    const { redisPrefix, consumer } = together();
    const consumers = [consumer(), consumer(), consumer()];
    const api = await open({ redisPrefix, role: 'api' });
    for (const each of consumers) {
      const { dispatcher } = await open({ redisPrefix, role: 'worker', slots: 2 });
      await dispatcher.start(each);
    }
    const refs = Array.from({ length: 60 }, (_, i) => refOf(i % 2 ? 'alice' : 'bob'));
    for (const ref of [...refs, ...refs]) await api.dispatcher.dispatch(ref);
    const begun = () => consumers.reduce((sum, each) => sum + each.begun.length, 0);
    while (begun() < 60) {
      await until(() => consumers.some(({ underWay }) => underWay.length > 0));
      for (const { underWay } of consumers) for (const { end } of underWay.slice()) end();
    }
    await until(async () => (await api.dispatcher.waiting()) === 0, 'the queue being empty');
    expect(begun()).toBe(60);
    expect(consumers.map(({ most }) => most)).toEqual([2, 2, 2]);
    expect(api.dispatcher.reserve()).toBeUndefined();
  });

  it("serve bob's first run before alice's later ones: first come, first served", async () => {
    const { redisPrefix, consumer } = together();
    const api = await open({ redisPrefix, role: 'api' });
    for (const user of ['alice', 'alice', 'alice', 'bob', 'alice', 'alice']) await api.dispatcher.dispatch(refOf(user));
    await until(async () => (await api.dispatcher.waiting()) === 6, 'all of them waiting');
    expect(api.dispatcher.placeInLine()).toBe(7);
    const worker = consumer();
    const { dispatcher } = await open({ redisPrefix, role: 'worker', slots: 1 });
    await dispatcher.start(worker);
    while (worker.begun.length < 6) {
      await until(() => worker.underWay.length > 0);
      worker.underWay[0]!.end();
    }
    expect(worker.begun).toEqual(['alice', 'alice', 'alice', 'bob', 'alice', 'alice']);
  });

  it('begin at once what they have a free slot for, and leave to the others what they have not', async () => {
    const { redisPrefix, consumer } = together();
    const [first, second] = [consumer(), consumer()];
    const [one, two] = [await open({ redisPrefix, slots: 2 }), await open({ redisPrefix, slots: 2 })];
    await one.dispatcher.start(first);
    await two.dispatcher.start(second);
    for (let i = 0; i < 4; i++) await one.dispatcher.dispatch(refOf('alice'));
    await until(() => first.underWay.length === 2 && second.underWay.length === 2);
  });

  it('keep no slot for a new run before they know that nobody waits', async () => {
    const { redisPrefix, consumer } = together();
    const api = await open({ redisPrefix, role: 'api' });
    await api.dispatcher.dispatch(refOf('alice'));
    await until(async () => (await api.dispatcher.waiting()) === 1);
    const { dispatcher } = await open({ redisPrefix, slots: 4 });
    const own = consumer();
    await dispatcher.start(own);
    expect(dispatcher.reserve()).toBeUndefined();
    await until(() => own.underWay.length === 1);
    let slot: ReservedSlot | undefined;
    await until(() => (slot ??= dispatcher.reserve()) !== undefined, 'a slot');
    slot!.release();
  });

  it('do not pass over those who wait in the queue', async () => {
    const { redisPrefix, consumer } = together();
    const own = consumer();
    const { dispatcher } = await open({ redisPrefix, slots: 2 });
    await dispatcher.start(own);
    for (const user of ['alice', 'alice', 'bob', 'alice']) await dispatcher.dispatch(refOf(user));
    await until(() => own.underWay.length === 2);
    expect(dispatcher.reserve()).toBeUndefined();
    await until(async () => (await dispatcher.waiting()) === 2);
    own.underWay[0]!.end();
    await until(() => own.begun.length === 3);
    expect(own.begun).toEqual(['alice', 'alice', 'bob']);
  });

  it('hear of cancels and answers of all others, and not twice of their own', async () => {
    const { redisPrefix, consumer } = together();
    const [first, second] = [consumer(), consumer()];
    const [one, two] = [await open({ redisPrefix }), await open({ redisPrefix })];
    await one.dispatcher.start(first);
    await two.dispatcher.start(second);
    const [ref, other] = [refOf('alice'), refOf('bob')];
    await one.dispatcher.cancel(ref, 'alice');
    await two.dispatcher.answered(other);
    const both = [`cancel ${ref.runId} by alice`, `answered ${other.runId}`].toSorted();
    await until(() => first.heard.length >= 2 && second.heard.length >= 2);
    expect(first.heard.toSorted()).toEqual(both);
    expect(second.heard.toSorted()).toEqual(both);
  });

  it('leave what a stopping node had in its hand to the others', async () => {
    const { redisPrefix, consumer } = together();
    const claims = consumer();
    const [one, two] = [await open({ redisPrefix, slots: 1 }), await open({ redisPrefix, slots: 8 })];
    await one.dispatcher.start(claims);
    for (let i = 0; i < 8; i++) await one.dispatcher.dispatch(refOf('alice'));
    await until(() => claims.underWay.length === 1);
    await one.dispatcher.stop();
    const rest = consumer();
    await two.dispatcher.start(rest);
    await until(() => rest.underWay.length === 7);
  });
});

describe('without Redis for a while', () => {
  let own: RedisServer;
  beforeEach(async () => (own = await RedisServer.startOwn()));
  afterEach(() => own.stop());
  const settings = () => ({ redisUrl: own.url, redisPrefix: own.prefix() });

  it('a node goes on by itself, says that it is degraded, and sends later what it has no slot for', async () => {
    const shared = settings();
    const claims = new Set<RunId>();
    const [first, second] = [new StagedConsumer(claims), new StagedConsumer(claims)];
    const [one, two] = [await open({ ...shared, slots: 2 }), await open({ ...shared, slots: 8 })];
    await one.dispatcher.start(first);
    await two.dispatcher.start(second);
    await own.kill();
    await until(async () => (await one.connections.check()).status === 'degraded');
    for (let i = 0; i < 8; i++) await one.dispatcher.dispatch(refOf(i % 2 ? 'alice' : 'bob'));
    await until(() => first.underWay.length === 2, 'a run in every slot');
    first.underWay[0]!.end();
    await until(() => first.begun.length === 3, 'one that waits here');
    await own.restart();
    await until(() => first.begun.length + second.begun.length === 8, 'all of them begun');
    expect(first.most).toBe(2);
    await until(async () => (await one.connections.check()).status === 'ok');
  });

  it('an api node keeps what it is given until Redis is back', async () => {
    const shared = settings();
    const api = await open({ ...shared, role: 'api' });
    const worker = await open({ ...shared, role: 'worker' });
    const consumer = new StagedConsumer();
    await worker.dispatcher.start(consumer);
    await own.kill();
    await until(async () => (await api.connections.check()).status === 'degraded');
    for (let i = 0; i < 4; i++) await api.dispatcher.dispatch(refOf('alice'));
    expect(await api.dispatcher.waiting()).toBe(4);
    await own.restart();
    await until(() => consumer.underWay.length === 4);
  });

  it('runs that Redis has lost begin when somebody sends them again, also those that were under way', async () => {
    const shared = settings();
    const { dispatcher } = await open({ ...shared, slots: 1 });
    const consumer = new StagedConsumer();
    await dispatcher.start(consumer);
    const refs = Array.from({ length: 5 }, () => refOf('alice'));
    for (const ref of refs) await dispatcher.dispatch(ref);
    await until(async () => consumer.underWay.length === 1 && (await dispatcher.waiting()) === 4);
    await own.flush();
    for (const ref of refs) await dispatcher.dispatch(ref); // as the sweep does
    while (consumer.begun.length < 5) {
      await until(() => consumer.underWay.length > 0);
      consumer.underWay[0]!.end();
    }
    await until(async () => (await dispatcher.waiting()) === 0);
    expect(consumer.begun).toHaveLength(5);
  });

  it('a run that a dead node had taken out of the queue and not begun goes to another one', async () => {
    const shared = settings();
    const api = await open({ ...shared, role: 'api' });
    await api.dispatcher.dispatch(refOf('alice'));
    await until(async () => (await api.dispatcher.waiting()) === 1);
    // what a process leaves behind that is killed there: an active job, whose lock ends
    await own.command('LMOVE', `${shared.redisPrefix}:runs:wait`, `${shared.redisPrefix}:runs:active`, 'RIGHT', 'LEFT');
    const worker = await open({ ...shared, role: 'worker' });
    const consumer = new StagedConsumer();
    await worker.dispatcher.start(consumer);
    await until(() => consumer.underWay.length === 1, 'the run of the dead');
  });
});
