import { Inject, Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { CLOCK, type Clock } from '../../shared/clock.js';
import { OPERATIONS_STORE, type OperationsStore } from './operations-store.port.js';
import { Switchboard } from './switchboard.js';

/** So long may another process go on with what was switched off. */
const LOOK_EVERY_MS = 2_000;

/** Tells the switchboard what the store has: before any run begins, and every two seconds. When it can't, what is known stays. */
@Injectable()
export class SwitchboardWatch implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger('Operations');
  private isStopped = false;
  private cancelTimer: () => void = () => undefined;

  constructor(
    private readonly switchboard: Switchboard,
    @Inject(OPERATIONS_STORE) private readonly store: OperationsStore,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.look();
    this.lookLater();
  }

  onApplicationShutdown(): void {
    this.isStopped = true;
    this.cancelTimer();
  }

  async look(): Promise<void> {
    this.switchboard.learn(await this.store.switches());
  }

  private lookLater(): void {
    if (this.isStopped) return;
    this.cancelTimer = this.clock.after(LOOK_EVERY_MS, () => {
      this.look()
        .catch((err: unknown) =>
          this.logger.warn({ err }, 'what is switched off could not be read; it stays as it was'),
        )
        .finally(() => this.lookLater());
    });
  }
}
