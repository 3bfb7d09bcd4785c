import {
  Inject,
  Injectable,
  Logger,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { CARREL_CONFIG, type CarrelConfig } from '../config/config.js';
import { roleOf } from '../config/node-role.js';
import { CLOCK, type Clock } from '../shared/clock.js';
import { Readiness } from './readiness.js';

/** What is due at a time, of one kind. */
export interface DueSource {
  /** When the next of it is due; undefined when there is none. */
  nextDueMs(): Promise<number | undefined>;

  /**
   * Carries out one bounded batch of what is due.
   *
   * @returns true when there may be more of it already
   */
  carryOut(nowMs: number): Promise<boolean>;
}

/** Nothing is waited for longer than this, for clocks are set; among several nodes another one may have written something. */
const LONGEST_PAUSE_MS = { embedded: 60_000, distributed: 1_000 };
/** Something that stays due although nobody has anything to do must not keep the process busy. */
const SHORTEST_PAUSE_MS = 10;
const FIRST_RETRY_MS = 1_000;

/**
 * The one timer for everything that comes due: set for the earliest of it, from the start of the application until it
 * drains. Its sources fail alone; what fails is tried again, after a minute at the latest. Each node that carries out runs has
 * it: the store gives what is due to one of them.
 */
@Injectable()
export class DueWork implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(DueWork.name);
  private readonly sources: DueSource[] = [];
  private isStarted = false;
  private isStopped = false;
  private cancelTimer: () => void = () => undefined;
  private wakesAtMs = 0;
  /** The look that is under way. */
  private looking: Promise<void> | undefined;
  private wasCalledMeanwhile = false;
  private failedLooks = 0;

  constructor(
    private readonly readiness: Readiness,
    @Inject(CARREL_CONFIG) private readonly config: Pick<CarrelConfig, 'profile'>,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  register(source: DueSource): void {
    this.sources.push(source);
  }

  onApplicationBootstrap(): void {
    if (roleOf(this.config) === 'api') return;
    this.isStarted = true;
    this.look();
  }

  /** Begins nothing more, and waits for the batch that is under way. */
  async beforeApplicationShutdown(): Promise<void> {
    this.isStopped = true;
    this.cancelTimer();
    await this.looking;
  }

  /**
   * To be called when something was written that comes due: the timer is set anew if that is earlier than what it waits for.
   *
   * @param dueMs when it is due; without it everything is looked at
   */
  lookAgain(dueMs = 0): void {
    if (!this.isStarted || this.isOver) return;
    if (this.looking) this.wasCalledMeanwhile = true;
    else if (dueMs <= this.clock.now()) this.look();
    else if (dueMs < this.wakesAtMs) this.wakeAt(dueMs);
  }

  private get isOver(): boolean {
    return this.isStopped || this.readiness.state === 'draining';
  }

  private wakeAt(atMs: number): void {
    this.cancelTimer();
    if (this.isOver) return;
    this.wakesAtMs = atMs;
    this.cancelTimer = this.clock.after(atMs - this.clock.now(), () => this.look());
  }

  private look(): void {
    this.cancelTimer();
    this.looking ??= this.untilNothingIsDue().then((nextMs) => {
      this.looking = undefined;
      this.wakeAt(nextMs);
    });
  }

  /** @returns when to look again */
  private async untilNothingIsDue(): Promise<number> {
    for (;;) {
      await new Promise(setImmediate); // whatever else was written in this tick is seen by the same look
      this.wasCalledMeanwhile = false;
      const looks = await Promise.all(this.sources.map((source) => this.lookAt(source)));
      const nowMs = this.clock.now();
      if (this.isOver) return nowMs;
      const hasFailed = looks.includes('failed');
      this.failedLooks = hasFailed ? this.failedLooks + 1 : 0;
      if (!hasFailed && (looks.includes('more') || this.wasCalledMeanwhile)) continue;
      const longestMs = LONGEST_PAUSE_MS[this.config.profile.kind];
      const pauseMs = hasFailed ? FIRST_RETRY_MS * 2 ** Math.min(this.failedLooks - 1, 10) : longestMs;
      const times = looks.filter((look) => typeof look === 'number');
      const earliestMs = Math.min(nowMs + Math.min(pauseMs, LONGEST_PAUSE_MS.embedded), ...times);
      return earliestMs > nowMs ? earliestMs : nowMs + SHORTEST_PAUSE_MS;
    }
  }

  /** @returns when the next of it is due */
  private async lookAt(source: DueSource): Promise<number | 'more' | 'failed' | undefined> {
    try {
      const nextMs = await source.nextDueMs();
      if (nextMs === undefined || nextMs > this.clock.now() || this.isOver) return nextMs;
      return (await source.carryOut(this.clock.now())) ? 'more' : await source.nextDueMs();
    } catch (err) {
      this.logger.error({ err }, 'what is due could not be carried out; it is tried again');
      return 'failed';
    }
  }
}
