import type { AgentRegistry } from '../agents/agent-registry.service.js';
import type { CarrelConfig } from '../config/config.js';
import type { UserExecutionContext } from '../context/user-execution-context.js';
import type { RunEmitter } from '../events/run-emitter.js';
import type { Usage } from '../events/run-error.js';
import type { Clock } from '../shared/clock.js';
import type { CallObserver } from './call-observer.js';
import type { NestedCall, NestedCallFacts } from './nested-call.js';
import type { ScopePlace } from './scope-place.js';
import type { StepLog } from './step-log.js';
import type { OpenStep, StepWaits } from './step-waits.js';
import type { ToolDoor } from './tool-step.js';

/** What all steps of one run share. */
export interface StepParts {
  readonly log: StepLog;
  readonly waits: StepWaits;
  readonly emitter: RunEmitter;
  readonly registry: AgentRegistry;
  readonly config: CarrelConfig;
  readonly clock: Clock;
  /** Number of the run's attempt, for its events. */
  attempt(): number;
  /** True when the run is stopped in order to be suspended: what is open stays open. */
  isSuspending(): boolean;
  /** A fallback has answered: the run can't be `completed` any more. */
  noteDegraded(): void;
  /** Something was used that no step is going to tell of: it was stopped. */
  noteUsage(usage: Usage): void;
  /** Calls tools, for the agents of this run. */
  readonly tools: ToolDoor;
  /** An agent's call inside this run. */
  nestedCall(facts: NestedCallFacts): NestedCall;
}

/** A step between its begin and its end. */
export class StepInProgress implements OpenStep, CallObserver {
  /** It waits for somebody, or for time. */
  resting = false;
  /** The run need not wait for it: a tool call, which is closed when its agent ends. */
  detached = false;
  /** What goes on inside it. */
  inside: OpenStep | undefined;
  /** What is inside it is not watched by itself: the step has to show that it lives, unless that rests. */
  isWatched = false;
  /** Tells that it is over, though its work may not be; set while it is told to be under way, if that must never stay so. */
  leave: (() => void) | undefined;
  private settled: PromiseWithResolvers<void> | undefined;

  onBegin(): void {
    // the step itself has begun long before
  }

  onSteps(inside: OpenStep): void {
    this.inside = inside;
  }

  atRest(): boolean {
    return this.resting || (this.inside?.atRest() ?? false);
  }

  /** Resolves with `settle`; hardly any step is waited for like that. */
  whenSettled(): Promise<void> {
    return (this.settled ??= Promise.withResolvers()).promise;
  }

  settle(): void {
    this.settled?.resolve();
  }
}

/** What the parts of a step need of the scope that it is in. */
export interface StepHost {
  readonly context: UserExecutionContext;
  readonly signal: AbortSignal;
  readonly place: ScopePlace;
  readonly parts: StepParts;
}
