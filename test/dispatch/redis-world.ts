import { BullmqDispatcher } from '../../src/dispatch/bullmq.dispatcher.js';
import { RedisConnections } from '../../src/dispatch/redis-connections.js';
import type { NodeRole } from '../../src/config/config.js';
import { systemClock } from '../../src/shared/clock.js';

/** What every node of one installation has in common. */
export interface NodeSettings {
  redisUrl: string;
  redisPrefix: string;
  role?: NodeRole;
  slots?: number;
}

/** The Redis side of one node. */
export interface RedisNode {
  connections: RedisConnections;
  dispatcher: BullmqDispatcher;
  close(): Promise<void>;
}

export async function openConnections({
  redisUrl,
  redisPrefix,
  role = 'all',
}: NodeSettings): Promise<RedisConnections> {
  return RedisConnections.open({
    kind: 'distributed',
    databaseUrl: 'postgresql://unused',
    redisUrl,
    redisPrefix,
    role,
  });
}

export async function openNode(settings: NodeSettings): Promise<RedisNode> {
  const connections = await openConnections(settings);
  const { role = 'all', slots = 4 } = settings;
  const dispatcher = await BullmqDispatcher.create(connections, { role, slots }, systemClock);
  return {
    connections,
    dispatcher,
    close: async () => {
      await dispatcher.stop();
      await connections.onApplicationShutdown();
    },
  };
}
