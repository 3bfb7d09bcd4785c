import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { CARREL_CONFIG, type CarrelConfig } from '../config/config.js';
import { roleOf } from '../config/node-role.js';
import { CLOCK, type Clock } from '../shared/clock.js';
import { isOverWithin } from '../shared/pause.js';
import { NodeLife, type NodeDuties } from './node-life.service.js';
import { Readiness } from './readiness.js';
import { RecoveryService } from './recovery.service.js';
import { RUN_DISPATCHER, type RunDispatcher } from './run-dispatcher.port.js';
import { RunRunner } from './run-runner.service.js';
import { RunSweep } from './run-sweep.service.js';

/** The parts that begin and end with this process. */
@Injectable()
export class LifecycleParts {
  constructor(
    @Inject(RUN_DISPATCHER) readonly dispatcher: RunDispatcher,
    readonly runner: RunRunner,
    readonly recovery: RecoveryService,
    readonly sweep: RunSweep,
    readonly life: NodeLife,
  ) {}
}

/** Begins to carry out runs when the application is up, and brings them to a good end before it goes down. */
@Injectable()
export class ExecutionLifecycle implements OnApplicationBootstrap, NodeDuties {
  private readonly logger = new Logger(ExecutionLifecycle.name);
  private recovery: Promise<void> = Promise.resolve();
  private draining: Promise<void> | undefined;

  constructor(
    private readonly parts: LifecycleParts,
    private readonly readiness: Readiness,
    @Inject(CARREL_CONFIG) private readonly config: CarrelConfig,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const { dispatcher, runner, life } = this.parts;
    await life.join(this);
    await dispatcher.start(runner);
    this.readiness.ready();
    this.findUnfinished();
  }

  /** Resolves when what an earlier process left behind is on its way again. */
  whenRecovered(): Promise<void> {
    return this.recovery;
  }

  /**
   * No new runs; those under way get `drainMs` to end, then they are interrupted: put back if their agent is idempotent,
   * ended with `interrupted` if not. Then this node leaves. Called more than once it is the same drain.
   */
  drain(): Promise<void> {
    return (this.draining ??= this.drainOnce());
  }

  /** The other nodes may have what this one carries. */
  async lay(): Promise<void> {
    const { dispatcher, runner } = this.parts;
    await Promise.all([dispatcher.stop(), runner.abandonAll()]);
  }

  async takeUp(): Promise<void> {
    const { dispatcher, runner } = this.parts;
    runner.resume();
    if (!this.draining) await dispatcher.start(runner);
  }

  /** One process that is alone looks once, several look again and again: those of them that carry runs out. */
  private findUnfinished(): void {
    if (this.config.profile.kind === 'embedded') {
      this.recovery = this.parts.recovery
        .recover()
        .catch((err: unknown) => this.logger.error({ err }, 'recovery stopped; the rest is tried at the next start'));
    } else if (roleOf(this.config) !== 'api') this.parts.sweep.start();
  }

  private async drainOnce(): Promise<void> {
    const { dispatcher, runner, sweep, life } = this.parts;
    this.readiness.drain();
    await dispatcher.stop();
    const atRest = Promise.all([this.recovery, sweep.stop(), runner.whenIdle()]);
    if (!(await isOverWithin(this.config.drainMs, atRest, this.clock))) {
      this.logger.warn({ runs: runner.activeCount }, 'runs are interrupted, for the time to drain is over');
      runner.interruptAll();
      await atRest;
    }
    await life.leave();
    this.readiness.stop();
  }
}
