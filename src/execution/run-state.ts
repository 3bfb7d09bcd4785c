import type { AgentRegistry } from '../agents/agent-registry.service.js';
import type { CarrelConfig } from '../config/config.js';
import type { RunEmitter } from '../events/run-emitter.js';
import type { Usage } from '../events/run-error.js';
import type { StepRecord } from '../events/step-record.js';
import type { Clock } from '../shared/clock.js';
import type { CallObserver } from './call-observer.js';
import type { NestedCall, NestedCallFacts } from './nested-call.js';
import type { StepParts } from './step-host.js';
import { StepLog } from './step-log.js';
import { StepWaits, type OpenStep, type RestingRun } from './step-waits.js';
import type { ToolDoor } from './tool-step.js';
import { UsageCounter } from './usage-counter.js';

interface StateParts {
  readonly emitter: RunEmitter;
  readonly registry: AgentRegistry;
  readonly config: CarrelConfig;
  readonly clock: Clock;
  /** What is recorded of the run's steps already. */
  readonly recorded: readonly StepRecord[];
}

/** Whoever carries the run out. */
interface RunOwner {
  readonly tools: ToolDoor;
  suspend(): void;
  nestedCall(facts: NestedCallFacts): NestedCall;
}

/**
 * What is known of a run while it is carried out, and what all its calls and steps share. One object with methods, and no
 * closures: every run in flight has one.
 */
export class RunState implements StepParts, CallObserver, RestingRun {
  readonly emitter: RunEmitter;
  readonly registry: AgentRegistry;
  readonly config: CarrelConfig;
  readonly clock: Clock;
  readonly log: StepLog;
  readonly waits: StepWaits;
  /** A fallback has answered. */
  degraded = false;
  suspending = false;
  private readonly usage = new UsageCounter();
  private underWay: OpenStep | undefined;

  /** @param number of the attempt that the run begins or goes on with */
  constructor(
    private number: number,
    parts: StateParts,
    private readonly owner: RunOwner,
  ) {
    this.emitter = parts.emitter;
    this.registry = parts.registry;
    this.config = parts.config;
    this.clock = parts.clock;
    this.log = new StepLog(parts.recorded, this);
    this.waits = new StepWaits(this);
  }

  attempt(): number {
    return this.number;
  }

  onBegin(attempt: number): void {
    this.number = attempt;
  }

  onSteps(steps: OpenStep): void {
    this.underWay = steps;
  }

  isAtRest(): boolean {
    return this.underWay?.atRest() ?? false;
  }

  get tools(): ToolDoor {
    return this.owner.tools;
  }

  suspend(): void {
    this.owner.suspend();
  }

  isSuspending(): boolean {
    return this.suspending;
  }

  noteDegraded(): void {
    this.degraded = true;
  }

  noteUsage(usage: Usage): void {
    this.usage.add(usage);
  }

  nestedCall(facts: NestedCallFacts): NestedCall {
    return this.owner.nestedCall(facts);
  }

  /** What its steps have used is a part of what a run used, whichever process has carried them out. */
  totalUsage(own: Usage | undefined): Usage | undefined {
    if (own) this.usage.add(own);
    this.log.addUsageTo(this.usage);
    return this.usage.total;
  }
}
