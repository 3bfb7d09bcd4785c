import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { CARREL_CONFIG, type CarrelConfig } from '../config/config.js';
import { CLOCK, type Clock } from '../shared/clock.js';
import { isOverWithin } from '../shared/pause.js';
import { Readiness } from './readiness.js';
import { RecoveryService } from './recovery.service.js';
import { RUN_DISPATCHER, type RunDispatcher } from './run-dispatcher.port.js';
import { RunRunner } from './run-runner.service.js';

/** Begins to carry out runs when the application is up, and brings them to a good end before it goes down. */
@Injectable()
export class ExecutionLifecycle implements OnApplicationBootstrap {
  private readonly logger = new Logger(ExecutionLifecycle.name);
  private recovery: Promise<void> = Promise.resolve();
  private draining: Promise<void> | undefined;

  constructor(
    @Inject(RUN_DISPATCHER) private readonly dispatcher: RunDispatcher,
    private readonly runner: RunRunner,
    private readonly recoveryService: RecoveryService,
    private readonly readiness: Readiness,
    @Inject(CARREL_CONFIG) private readonly config: CarrelConfig,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.dispatcher.start(this.runner);
    this.readiness.ready();
    this.recovery = this.recoveryService
      .recover()
      .catch((err: unknown) => this.logger.error({ err }, 'recovery stopped; the rest is tried at the next start'));
  }

  /** Resolves when what an earlier process left behind is on its way again. */
  whenRecovered(): Promise<void> {
    return this.recovery;
  }

  /**
   * No new runs; those under way get `drainMs` to end, then they are interrupted: put back if their agent is idempotent,
   * ended with `interrupted` if not. Called more than once it is the same drain.
   */
  drain(): Promise<void> {
    return (this.draining ??= this.drainOnce());
  }

  private async drainOnce(): Promise<void> {
    this.readiness.drain();
    await this.dispatcher.stop();
    const atRest = Promise.all([this.recovery, this.runner.whenIdle()]);
    if (!(await isOverWithin(this.config.drainMs, atRest, this.clock))) {
      this.logger.warn({ runs: this.runner.activeCount }, 'runs are interrupted, for the time to drain is over');
      this.runner.interruptAll();
      await atRest;
    }
    this.readiness.stop();
  }
}
