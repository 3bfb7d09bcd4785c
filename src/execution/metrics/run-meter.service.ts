import { Inject, Injectable } from '@nestjs/common';
import { Counter, Histogram } from 'prom-client';
import { EventBus } from '../../events/event-bus.js';
import { EVENT_JOURNAL, type CommitFacts, type EventJournal } from '../../events/event-journal.port.js';
import type { JournalledEvent, RunEventType } from '../../events/run-event.js';
import { CLOCK, type Clock } from '../../shared/clock.js';
import { isCarrelError } from '../../shared/errors.js';
import type { AgentExecutionResult } from '../agent-execution-result.js';
import type { RunRecord } from '../run-store.port.js';
import type { TerminalStatus } from '../run-status.js';
import { AgentLabel } from './agent-label.js';
import { MetricsRegistry } from './metrics-registry.js';
import { RecentDelays, type DelayFigures } from './recent-delays.js';

const SHORT = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const LONG = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];
const SIZES = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000];
const AT = '"at":"';
const AT_LENGTH = '2026-01-01T00:00:00.000Z'.length;

/** Counts what can only be counted while it happens. Everything else is looked up when somebody asks. */
@Injectable()
export class RunMeter {
  private readonly events = new Map<RunEventType, number>();
  private readonly started;
  private readonly ended;
  private readonly errors;
  private readonly refused;
  private readonly queueWait;
  private readonly duration;
  private readonly cancelTime;
  private readonly commitTime;
  private readonly commitSize;
  private readonly delivery;
  private readonly recentDeliveries = new RecentDelays();

  constructor(
    registry: MetricsRegistry,
    private readonly label: AgentLabel,
    @Inject(EVENT_JOURNAL) journal: EventJournal,
    bus: EventBus,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    const registers = [registry];
    const counter = <Label extends string>(name: string, help: string, labelNames: Label[]) =>
      new Counter({ name: `carrel_${name}`, help, labelNames, registers });
    const histogram = <Label extends string>(name: string, help: string, buckets: number[], labelNames: Label[] = []) =>
      new Histogram({ name: `carrel_${name}`, help, buckets, labelNames, registers });

    this.started = counter('runs_started_total', 'Runs that began here, each once.', ['agent']);
    this.ended = counter('runs_total', 'Runs that ended here.', ['agent', 'status']);
    this.errors = counter('run_errors_total', 'Runs that ended here with an error, by its code.', ['code']);
    this.refused = counter('starts_refused_total', 'Starts that were refused here, by the code.', ['code']);
    this.queueWait = histogram('run_queue_wait_seconds', 'From the request of a run to its beginning.', LONG);
    this.duration = histogram('run_duration_seconds', 'From the beginning of a run to its end.', LONG, ['agent']);
    this.cancelTime = histogram('run_cancel_seconds', 'From the wish to cancel a running run to its end.', SHORT);
    this.commitTime = histogram('commit_seconds', 'One transaction of the storage.', SHORT);
    this.commitSize = histogram('commit_operations', 'Writes that shared a transaction.', SIZES);
    this.delivery = histogram(
      'event_delivery_seconds',
      'From when an event arose to its delivery, the first of a batch.',
      SHORT,
    );
    registry.registerMetric(this.eventCounter());
    journal.onCommitted((events, facts) => this.committed(events, facts));
    bus.onDelivered((events) => this.delivered(events));
  }

  /** For the first time: not when it goes on. */
  began({ agent, attempt, createdAtMs, startedAtMs }: RunRecord): void {
    if (attempt > 1) return;
    this.started.inc({ agent: this.label.of(agent) });
    this.queueWait.observe(Math.max(0, (startedAtMs ?? createdAtMs) - createdAtMs) / 1_000);
  }

  end({ agent, startedAtMs }: RunRecord, result: AgentExecutionResult, nowMs: number): void {
    this.count(agent, result.status);
    this.duration.observe({ agent: this.label.of(agent) }, Math.max(0, nowMs - (startedAtMs ?? nowMs)) / 1_000);
    if ('error' in result) this.errors.inc({ code: result.error.code });
  }

  /** One that did not run. */
  cancelledWaiting({ agent }: RunRecord): void {
    this.count(agent, 'cancelled');
  }

  /** @param askedAtMs when the cancel came */
  cancelled(askedAtMs: number): void {
    this.cancelTime.observe(Math.max(0, this.clock.now() - askedAtMs) / 1_000);
  }

  refusedStart(error: unknown): void {
    this.refused.inc({ code: isCarrelError(error) ? error.code : 'internal' });
  }

  /** How late the latest events were delivered here; undefined while there were none. */
  deliveryLag(): DelayFigures | undefined {
    return this.recentDeliveries.figures();
  }

  private count(agent: string, status: TerminalStatus): void {
    this.ended.inc({ agent: this.label.of(agent), status });
  }

  private committed(events: readonly JournalledEvent[], facts: CommitFacts | undefined): void {
    for (const { type } of events) this.events.set(type, (this.events.get(type) ?? 0) + 1);
    if (!facts) return;
    this.commitTime.observe(facts.tookMs / 1_000);
    this.commitSize.observe(facts.operations);
  }

  private delivered([first]: readonly JournalledEvent[]): void {
    const atMs = first && momentIn(first.json);
    if (!atMs) return;
    const tookMs = Math.max(0, this.clock.now() - atMs);
    this.delivery.observe(tookMs / 1_000);
    this.recentDeliveries.add(tookMs);
  }

  private eventCounter(): Counter<'type'> {
    const { events } = this;
    return new Counter({
      name: 'carrel_events_total',
      help: 'Events that were journalled here, by type.',
      labelNames: ['type'],
      registers: [],
      collect() {
        this.reset();
        for (const [type, count] of events) this.inc({ type }, count);
      },
    });
  }
}

/** When an event arose, from its envelope, without reading all of it: what the agent said stands behind it. */
function momentIn(json: string): number | undefined {
  const place = json.indexOf(AT);
  const atMs = place < 0 ? Number.NaN : Date.parse(json.slice(place + AT.length, place + AT.length + AT_LENGTH));
  return Number.isNaN(atMs) ? undefined : atMs;
}
