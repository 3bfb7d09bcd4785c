import { Inject, Injectable, Logger } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { CARREL_CONFIG, type CarrelConfig } from '../config/config.js';
import { ExecutionScope, type ScopeParts } from '../context/execution-scope.js';
import type { UserExecutionContext } from '../context/user-execution-context.js';
import type { RunEmitter } from '../events/run-emitter.js';
import type { StepRecord } from '../events/step-record.js';
import { CLOCK, type Clock } from '../shared/clock.js';
import type { UserId } from '../shared/ids.js';
import { EngineServices } from './engine-services.js';
import { UserExecutionEngine } from './user-execution-engine.js';

/** Also where cancels are forced at once, clean-ups have some time. */
const MIN_CLEAN_UP_MS = 1_000;

/** What the factory has made and what is left of it. */
export interface FactoryReport {
  /** Engines made so far; `active` ones have not been disposed of. */
  created: number;
  active: number;
  disposed: number;
  /** Clean-up callbacks that threw or took too long. */
  failedCleanUps: number;
  /** DI sub-trees that are open now; 0 when nothing runs. */
  liveContexts: number;
}

/** Makes one engine per run and opens one DI sub-tree per attempt, and knows at any moment what is still open. */
@Injectable()
export class ExecutionEngineFactory {
  private readonly logger = new Logger(ExecutionEngineFactory.name);
  private created = 0;
  private disposed = 0;
  private failedCleanUps = 0;
  private liveContexts = 0;
  private readonly liveByUser = new Map<UserId, number>();
  private readonly scopeParts: ScopeParts;

  constructor(
    moduleRef: ModuleRef,
    private readonly services: EngineServices,
    @Inject(CARREL_CONFIG) private readonly config: CarrelConfig,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    const cleanUpMs = Math.max(config.runs.cancelGraceMs, MIN_CLEAN_UP_MS);
    this.scopeParts = { moduleRef, clock, cleanUpMs, onDisposed: this.onScopeDisposed };
  }

  /**
   * An engine for one run of this context's user; dispose of it (`await using`).
   *
   * @param emitter takes the run's events; it is bound to the same user and run
   * @param recorded what is recorded of the run's steps already (`RunStore.steps`)
   */
  createUserEngine(
    context: UserExecutionContext,
    emitter: RunEmitter,
    recorded: readonly StepRecord[] = [],
  ): UserExecutionEngine {
    this.created++;
    return new UserExecutionEngine(context, {
      services: this.services,
      config: this.config,
      clock: this.clock,
      emitter,
      recorded,
      openScope: this.openScope,
      onDisposed: this.onDisposed,
    });
  }

  report(): FactoryReport {
    const { created, disposed, failedCleanUps, liveContexts } = this;
    return { created, disposed, active: created - disposed, failedCleanUps, liveContexts };
  }

  /** DI sub-trees of this user that are open now. */
  liveContextsOf(userId: UserId): number {
    return this.liveByUser.get(userId) ?? 0;
  }

  /** Bound once, for every run in flight has it. */
  private readonly onDisposed = (): void => {
    this.disposed++;
  };

  private readonly openScope = (context: UserExecutionContext): ExecutionScope => {
    this.count(context.userId, 1);
    return new ExecutionScope(context, this.scopeParts);
  };

  private readonly onScopeDisposed = (context: UserExecutionContext, errors: readonly unknown[]): void => {
    this.count(context.userId, -1);
    this.failedCleanUps += errors.length;
    for (const err of errors) this.logger.error({ err, ...context.toJSON() }, 'a clean-up callback failed');
  };

  private count(userId: UserId, change: number): void {
    this.liveContexts += change;
    const own = this.liveContextsOf(userId) + change;
    if (own === 0) this.liveByUser.delete(userId);
    else this.liveByUser.set(userId, own);
  }
}
