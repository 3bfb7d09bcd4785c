import { Logger } from '@nestjs/common';
import type { CarrelConfig } from '../../src/config/config.js';
import { loadConfig } from '../../src/config/load-config.js';
import { HealthParts } from '../../src/execution/health-parts.js';
import { NodeIdentity } from '../../src/execution/node-identity.js';
import { NodeLife, type NodeDuties } from '../../src/execution/node-life.service.js';
import type { NodeRecord, NodeRegistry } from '../../src/execution/node-registry.port.js';
import { Readiness } from '../../src/execution/readiness.js';
import type { NodeId } from '../../src/shared/ids.js';
import { HeldClock } from '../contracts/storage-world.js';

const SEVERAL = { DATABASE_URL: 'postgresql://x/y', REDIS_URL: 'redis://x', CARREL_ROLE: 'worker' };

/** Who lives, in memory; the test says when it answers, and who is dead. */
class StagedRegistry implements NodeRegistry {
  readonly calls: string[] = [];
  readonly there = new Map<NodeId, Pick<NodeRecord, 'role' | 'draining'>>();
  isAway = false;
  isSilent = false;

  async join({ id, role }: Pick<NodeRecord, 'id' | 'role'>): Promise<void> {
    await this.answer('join');
    this.there.set(id, { role, draining: false });
  }

  async beat(id: NodeId, draining: boolean): Promise<boolean> {
    await this.answer(draining ? 'beat draining' : 'beat');
    return this.there.has(id);
  }

  async leave(id: NodeId): Promise<void> {
    await this.answer('leave');
    this.there.delete(id);
  }

  async living(): Promise<readonly NodeRecord[]> {
    return [...this.there].map(([id, node]) => ({ id, ...node, startedAtMs: 0, beatAtMs: 0 }));
  }

  private answer(call: string): Promise<void> {
    this.calls.push(call);
    if (this.isAway) return Promise.reject(new Error('the database is away'));
    return this.isSilent ? new Promise(() => undefined) : Promise.resolve();
  }
}

/** Says what it was told; what is under way ends when the test says so. */
class StagedDuties implements NodeDuties {
  readonly told: string[] = [];
  rest = Promise.resolve();

  async lay(): Promise<void> {
    this.told.push('lay down');
    await this.rest;
    this.told.push('at rest');
  }

  async takeUp(): Promise<void> {
    this.told.push('take up');
  }
}

describe('the life of a node', () => {
  let clock: HeldClock;
  let registry: StagedRegistry;
  let duties: StagedDuties;
  let self: NodeIdentity;
  let parts: HealthParts;
  let readiness: Readiness;
  let life: NodeLife;

  beforeAll(() => Logger.overrideLogger(false));
  beforeEach(() => begin(loadConfig(SEVERAL)));

  function begin(config: CarrelConfig): void {
    clock = new HeldClock();
    registry = new StagedRegistry();
    duties = new StagedDuties();
    self = new NodeIdentity();
    parts = new HealthParts(clock);
    readiness = new Readiness();
    life = new NodeLife(self, registry, readiness, parts, config, clock);
  }

  const settled = async () => {
    for (let i = 0; i < 20; i++) await Promise.resolve();
  };
  /** Second by second, as time passes. */
  async function pass(seconds: number): Promise<void> {
    for (let i = 0; i < seconds; i++) {
      clock.advance(1_000);
      await settled();
    }
  }
  const healthOfNode = async () => {
    clock.advance(500);
    return (await parts.report()).parts.node;
  };

  it('joins in its role, says every three seconds that it lives, and leaves', async () => {
    await life.join(duties);
    expect([...registry.there]).toEqual([[self.id, { role: 'worker', draining: false }]]);
    await pass(9);
    expect(registry.calls).toEqual(['join', 'beat', 'beat', 'beat']);
    readiness.drain();
    await pass(3);
    expect(registry.calls.at(-1)).toBe('beat draining');
    expect(life.isLiving).toBe(true);
    await life.leave();
    expect(registry.there.size).toBe(0);
    await pass(30);
    expect(registry.calls.at(-1)).toBe('leave');
    expect(duties.told).toEqual([]);
    expect(clock.pending).toEqual([]);
  });

  it.each(['isAway', 'isSilent'] as const)(
    'lays down what it carries before it is dead for the others, when the registry %s',
    async (how) => {
      await life.join(duties);
      await pass(3);
      registry[how] = true;
      await pass(8);
      expect(duties.told).toEqual([]);
      expect(await healthOfNode()).toEqual({ status: 'ok' });
      // nine seconds after the last beat that was answered, which the registry has had since
      clock.advance(500);
      await settled();
      expect(duties.told).toEqual(['lay down', 'at rest']);
      expect(life.isLiving).toBe(false);
      expect(await healthOfNode()).toMatchObject({ status: 'down' });
      registry[how] = false;
      await life.leave();
    },
  );

  it('outlives a registry that is away for shorter', async () => {
    await life.join(duties);
    for (let i = 0; i < 3; i++) {
      registry.isAway = true;
      await pass(7);
      registry.isAway = false;
      await pass(4);
    }
    expect(life.isLiving).toBe(true);
    expect(duties.told).toEqual([]);
    await life.leave();
  });

  it('joins again as a new node, but only when nothing of the old one is under way', async () => {
    await life.join(duties);
    const before = self.id;
    const rest = Promise.withResolvers<void>();
    duties.rest = rest.promise;
    registry.there.delete(before);
    await pass(3);
    expect(duties.told).toEqual(['lay down']);
    await pass(30);
    expect(self.id).toBe(before);
    rest.resolve();
    await settled();
    expect(duties.told).toEqual(['lay down', 'at rest', 'take up']);
    expect(self.id).not.toBe(before);
    expect([...registry.there.keys()]).toEqual([self.id]);
    expect(life.isLiving).toBe(true);
    expect(await healthOfNode()).toEqual({ status: 'ok' });
    await pass(30);
    expect(life.isLiving).toBe(true);
    await life.leave();
    expect(registry.there.size).toBe(0);
  });

  it('tries to join again as long as the registry is away, and what it has left behind is dead at once', async () => {
    await life.join(duties);
    const before = self.id;
    registry.isAway = true;
    await pass(60);
    expect(duties.told).toEqual(['lay down', 'at rest']);
    expect(registry.there.has(before)).toBe(true);
    registry.isAway = false;
    await pass(1);
    expect(registry.there.has(before)).toBe(false);
    expect(life.isLiving).toBe(true);
    expect(duties.told.at(-1)).toBe('take up');
    await life.leave();
  });

  it('takes nothing up again when it has left meanwhile', async () => {
    await life.join(duties);
    registry.isAway = true;
    await pass(9);
    await life.leave();
    registry.isAway = false;
    await pass(30);
    expect(duties.told).toEqual(['lay down', 'at rest']);
    expect(clock.pending).toEqual([]);
  });

  it('is always there when it is alone', async () => {
    begin(loadConfig({}));
    await life.join(duties);
    expect([...registry.there.values()]).toEqual([{ role: 'all', draining: false }]);
    registry.isAway = true;
    await pass(600);
    expect(life.isLiving).toBe(true);
    expect(await healthOfNode()).toBeUndefined();
    expect(registry.calls).toEqual(['join']);
    registry.isAway = false;
    await life.leave();
    expect(registry.there.size).toBe(0);
  });
});
