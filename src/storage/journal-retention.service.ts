import {
  Inject,
  Injectable,
  Logger,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { CARREL_CONFIG, type CarrelConfig } from '../config/config.js';
import { EVENT_JOURNAL, type EventJournal } from '../events/event-journal.port.js';
import { OPERATIONS_STORE, type OperationsStore } from '../execution/operations/operations-store.port.js';
import { CLOCK, type Clock } from '../shared/clock.js';

const FIRST_ROUND_MS = 30_000;
const ROUND_MS = 60 * 60 * 1_000;
/** Rows that are removed in one go, between other people's writes. */
const BATCH = 500;

/** Removes what is older than the retention, soon after the start and then every hour. A round that fails is logged, and the next one still comes. */
@Injectable()
export class JournalRetention implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(JournalRetention.name);
  private readonly stopping = new AbortController();
  private cancelTimer: () => void = () => undefined;
  private round: Promise<void> = Promise.resolve();

  constructor(
    @Inject(EVENT_JOURNAL) private readonly journal: EventJournal,
    @Inject(OPERATIONS_STORE) private readonly operations: OperationsStore,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(CARREL_CONFIG) private readonly config: CarrelConfig,
  ) {}

  onApplicationBootstrap(): void {
    this.schedule(FIRST_ROUND_MS);
  }

  /** Begins no other round, and waits for the batch that is under way. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    this.cancelTimer();
    await this.round;
  }

  private schedule(delayMs: number): void {
    if (this.stopping.signal.aborted) return;
    this.cancelTimer = this.clock.after(delayMs, () => {
      this.round = this.prune().finally(() => this.schedule(ROUND_MS));
    });
  }

  private async prune(): Promise<void> {
    const { retentionMs, auditRetentionMs } = this.config.data;
    await this.pruneBefore('old events, steps, questions and idempotency keys are removed', retentionMs, (before) =>
      this.journal.prune(before, BATCH),
    );
    await this.pruneBefore('old entries of the audit trail are removed', auditRetentionMs, (before) =>
      this.operations.pruneAudit(before, BATCH),
    );
  }

  private async pruneBefore(
    done: string,
    keptMs: number,
    pruneBatch: (before: Date) => Promise<number>,
  ): Promise<void> {
    const before = new Date(this.clock.now() - keptMs);
    let removed = 0;
    try {
      for (let batch = BATCH; batch >= BATCH && !this.stopping.signal.aborted; removed += batch) {
        batch = await pruneBatch(before);
      }
    } catch (err) {
      this.logger.error({ err }, 'the retention failed; it is tried again in an hour');
    }
    if (removed > 0) this.logger.log({ removed, before: before.toISOString() }, done);
  }
}
