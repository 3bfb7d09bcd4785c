import { Inject, Injectable, Logger } from '@nestjs/common';
import { CLOCK, type Clock } from '../shared/clock.js';
import type { RunId } from '../shared/ids.js';
import { BUDGET_STORE, type BudgetStore } from './models/budget-store.port.js';
import { NodeLife } from './node-life.service.js';
import { RecoveryService } from './recovery.service.js';
import { RunRunner } from './run-runner.service.js';
import { RUN_STORE, type RunStore } from './run-store.port.js';

/** A node that has died is seen in time (12 s and one look), and nodes that started together do not look together. */
const SHORTEST_PAUSE_MS = 1_500;
const LONGEST_PAUSE_MS = 2_500;
/** What nobody may lose, but Redis may have: every other look, a page at a time. */
const LOST_AFTER_MS = 5_000;
/** Leaves out all that are queued. */
const NONE_QUEUED_MS = 1_000_000_000_000;

/**
 * Looks again and again for what dead nodes have left behind and for what got lost on its way, and brings it on. Any number
 * of nodes may do so: the store gives each run to one of them.
 */
@Injectable()
export class RunSweep {
  private readonly logger = new Logger('Sweep');
  private isOn = false;
  private cancelTimer: () => void = () => undefined;
  private looking: Promise<void> = Promise.resolve();
  private looks = 0;
  /** How far the last look at the queued ones came. */
  private after: RunId | undefined;

  constructor(
    @Inject(RUN_STORE) private readonly store: RunStore,
    private readonly runner: RunRunner,
    private readonly recovery: RecoveryService,
    private readonly life: NodeLife,
    @Inject(BUDGET_STORE) private readonly budgets: BudgetStore,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  start(): void {
    this.isOn = true;
    this.look();
  }

  /** Resolves when the look that is under way is over. */
  async stop(): Promise<void> {
    this.isOn = false;
    this.cancelTimer();
    await this.looking;
  }

  private look(): void {
    this.looking = this.carryOut()
      .catch((err: unknown) => this.logger.error({ err }, 'a look for runs that nobody carries failed; it is repeated'))
      .then(() => this.lookLater());
  }

  private lookLater(): void {
    if (!this.isOn) return;
    const pauseMs = SHORTEST_PAUSE_MS + Math.random() * (LONGEST_PAUSE_MS - SHORTEST_PAUSE_MS);
    this.cancelTimer = this.clock.after(pauseMs, () => this.look());
  }

  /** A cancel that was told while this node could not hear it. */
  private async cancelUnheard(): Promise<void> {
    for (const { userId, runId, by } of await this.store.cancelWishes(this.runner.activeRefs)) {
      this.runner.cancel({ userId, runId }, by);
    }
  }

  private async carryOut(): Promise<void> {
    if (!this.life.isLiving) return; // what it took would be taken from it
    await this.cancelUnheard();
    await this.recovery.recoverOwn();
    await this.recovery.recover(NONE_QUEUED_MS);
    if (this.looks++ % 2 === 1) return;
    this.after = await this.recovery.recoverSome(this.after, LOST_AFTER_MS);
    // by the life of their nodes, whenever they were made by their clocks
    const calls = await this.budgets.settleAbandoned(Number.MAX_SAFE_INTEGER);
    if (calls > 0) this.logger.warn({ calls }, 'calls of models that dead nodes had under way count as spent');
  }
}
