import { Global, Module, type DynamicModule, type Provider } from '@nestjs/common';
import { Gauge } from 'prom-client';
import { CARREL_CONFIG, type CarrelConfig, type ProfileConfig } from '../config/config.js';
import { EVENT_RELAY } from '../events/event-relay.port.js';
import { HealthParts } from '../execution/health-parts.js';
import { MetricsRegistry } from '../execution/metrics/metrics-registry.js';
import { RUN_DISPATCHER } from '../execution/run-dispatcher.port.js';
import { CLOCK, type Clock } from '../shared/clock.js';
import { BullmqDispatcher } from './bullmq.dispatcher.js';
import { RedisConnections } from './redis-connections.js';
import { RedisEventRelay } from './redis-event-relay.js';
import { RelayMeter } from './relay-meter.js';

/** What several nodes have on Redis: the queue of runs, and the relay of events. Global, as the adapters of one process are. */
@Global()
@Module({})
export class RedisModule {
  static forRoot(profile: Extract<ProfileConfig, { kind: 'distributed' }>): DynamicModule {
    return { module: RedisModule, providers: redisProviders(profile), exports: [RUN_DISPATCHER, EVENT_RELAY] };
  }
}

function redisProviders(profile: Extract<ProfileConfig, { kind: 'distributed' }>): Provider[] {
  return [
    RelayMeter,
    {
      provide: RedisConnections,
      inject: [HealthParts],
      useFactory: async (health: HealthParts) => {
        const connections = await RedisConnections.open(profile);
        health.register(connections);
        return connections;
      },
    },
    {
      provide: RUN_DISPATCHER,
      inject: [RedisConnections, CARREL_CONFIG, CLOCK, MetricsRegistry],
      useFactory: async (
        connections: RedisConnections,
        { runs }: CarrelConfig,
        clock: Clock,
        registry: MetricsRegistry,
      ) => {
        const options = { role: profile.role, slots: runs.slots };
        const dispatcher = await BullmqDispatcher.create(connections, options, clock);
        watch(dispatcher, registry);
        return dispatcher;
      },
    },
    {
      provide: EVENT_RELAY,
      inject: [RedisConnections, RelayMeter, CLOCK],
      useFactory: (connections: RedisConnections, meter: RelayMeter, clock: Clock) =>
        RedisEventRelay.create(connections, meter, clock),
    },
  ];
}

function watch(dispatcher: BullmqDispatcher, registry: MetricsRegistry): void {
  new Gauge({
    name: 'carrel_dispatch_waiting',
    help: 'Admitted runs that wait for a free slot of any node. The same in every process: take the largest.',
    registers: [registry],
    async collect() {
      this.set(await dispatcher.waiting());
    },
  });
}
