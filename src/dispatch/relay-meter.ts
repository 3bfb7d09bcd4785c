import { Injectable } from '@nestjs/common';
import { Counter, Gauge, Histogram } from 'prom-client';
import { MetricsRegistry } from '../execution/metrics/metrics-registry.js';

const LAG_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5];

/** What is counted of events on their way between the nodes. */
@Injectable()
export class RelayMeter {
  private readonly registers;
  private readonly published;
  private readonly lagTime;

  constructor(registry: MetricsRegistry) {
    this.registers = [registry];
    const { registers } = this;
    this.published = new Counter({
      name: 'carrel_relay_events_total',
      help: 'Events that this node has sent to the others.',
      registers,
    });
    this.lagTime = new Histogram({
      name: 'carrel_relay_lag_seconds',
      help: 'From sending events to hearing them, for users who are listened for at the same node.',
      buckets: LAG_SECONDS,
      registers,
    });
  }

  sent(events: number): void {
    this.published.inc(events);
  }

  lag(ms: number): void {
    this.lagTime.observe(Math.max(0, ms) / 1_000);
  }

  /** Figures that are looked up when somebody asks. */
  watch(look: { followed(): number; unsent(): number }): void {
    this.gauge('followed', 'Users whose events of other nodes come to this one.', look.followed);
    this.gauge('unsent', 'Users of whom this node could not tell the others yet how far they have come.', look.unsent);
  }

  private gauge(name: string, help: string, look: () => number): void {
    new Gauge({
      name: `carrel_relay_${name}`,
      help,
      registers: this.registers,
      collect() {
        this.set(look());
      },
    });
  }
}
