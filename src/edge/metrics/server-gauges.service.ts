import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { collectDefaultMetrics, Counter, Gauge } from 'prom-client';
import { CARREL_CONFIG, type CarrelConfig } from '../../config/config.js';
import { MetricsRegistry } from '../../execution/metrics/metrics-registry.js';
import { CLOCK, type Clock } from '../../shared/clock.js';
import { SERVER_FACTS } from '../server-facts.js';
import { GaugeSources } from './gauge-sources.service.js';

type Sample = [labels: Record<string, string>, value: number];

/** What the server knows of itself at any moment, looked up when it is asked for: nothing is counted meanwhile. */
@Injectable()
export class ServerGauges implements OnModuleInit {
  private watchesNode = false;

  constructor(
    private readonly registry: MetricsRegistry,
    private readonly parts: GaugeSources,
    @Inject(CARREL_CONFIG) private readonly config: CarrelConfig,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  onModuleInit(): void {
    this.ofProcess();
    this.ofAllProcesses();
  }

  /** Everything, in the text format of Prometheus. What Node tells of itself is watched from the first time on. */
  async text(): Promise<string> {
    if (!this.watchesNode) collectDefaultMetrics({ register: this.registry });
    this.watchesNode = true;
    return this.registry.metrics();
  }

  private ofProcess(): void {
    const { runner, factory, connections, breakers, pool, switchboard, readiness, health, isolation } = this.parts;
    const { version, node } = SERVER_FACTS;
    this.gauge('info', 'What this server is.', ['version', 'node'], () => [[{ version, node }, 1]]);
    this.gauge('ready', 'Whether this process takes new runs (1) or not (0).', [], () => [
      [{}, Number(readiness.state === 'ready')],
    ]);
    this.gauge('part_up', 'What the server stands on: 1, 0.5 when it is degraded, 0.', ['part'], async () =>
      Object.entries((await health.report()).parts).map(([part, { status }]) => [{ part }, UP[status]]),
    );
    this.gauge('runs_active', 'Runs under way in this process.', [], () => [[{}, runner.activeCount]]);
    this.gauge('run_slots', 'Runs that may be under way in this process.', [], () => [[{}, this.config.runs.slots]]);
    this.gauge('live_contexts', 'DI sub-trees that are open; 0 when nothing runs.', [], () => [
      [{}, factory.report().liveContexts],
    ]);
    this.counter('engines_created_total', 'Engines that were made.', () => factory.report().created);
    this.counter(
      'clean_ups_failed_total',
      'Clean-ups that threw or took too long.',
      () => factory.report().failedCleanUps,
    );
    this.gauge('connections', 'Sockets, and streams of server-sent events.', ['kind'], () => {
      const { sockets, streams } = connections.everybody();
      return [
        [{ kind: 'socket' }, sockets],
        [{ kind: 'stream' }, streams],
      ];
    });
    this.gauge('circuit_breakers', "Users' breakers that have counted failures, and are open.", ['state'], () => [
      [{ state: 'counting' }, breakers.size - breakers.openCount],
      [{ state: 'open' }, breakers.openCount],
    ]);
    this.gauge('kill_switches', 'What operators have switched off.', ['kind'], () =>
      Object.entries(switchboard.counts).map(([kind, count]) => [{ kind }, count]),
    );
    this.gauge('mcp_connections', 'Connections to MCP servers, all users together.', ['server'], () =>
      [...pool.connectionsByServer()].map(([server, count]) => [{ server }, count]),
    );
    this.counter(
      'isolation_violations_total',
      'Looks that found something of a user with another one. Must be 0.',
      () => isolation.violations(),
    );
  }

  /** The same in every process of an installation: take the largest, not the sum. */
  private ofAllProcesses(): void {
    const { operations } = this.parts;
    this.gauge(
      'lane_runs',
      'Runs of all users that hold a place in their lane, or wait for one.',
      ['state'],
      async () => {
        const { placed, waiting } = await operations.load();
        return [
          [{ state: 'placed' }, placed],
          [{ state: 'waiting' }, waiting],
        ];
      },
    );
    this.gauge(
      'lane_oldest_wait_seconds',
      'How long the first of the placed runs without a process has waited.',
      [],
      async () => {
        const { oldestUnclaimedMs } = await operations.load();
        return [[{}, oldestUnclaimedMs === undefined ? 0 : Math.max(0, this.clock.now() - oldestUnclaimedMs) / 1_000]];
      },
    );
  }

  private gauge(name: string, help: string, labelNames: string[], look: () => Sample[] | Promise<Sample[]>): void {
    new Gauge({
      name: `carrel_${name}`,
      help,
      labelNames,
      registers: [this.registry],
      async collect() {
        const samples = await look();
        this.reset();
        for (const [labels, value] of samples) this.set(labels, value);
      },
    });
  }

  private counter(name: string, help: string, look: () => number): void {
    new Counter({
      name: `carrel_${name}`,
      help,
      registers: [this.registry],
      collect() {
        this.reset();
        this.inc(look());
      },
    });
  }
}

const UP = { ok: 1, degraded: 0.5, down: 0 } as const;
