import type { EventBus } from '../events/event-bus.js';
import type { EventJournal } from '../events/event-journal.port.js';
import type { JournalledEvent } from '../events/run-event.js';
import type { RunId, UserId } from '../shared/ids.js';
import { checkPosition } from './check-position.js';

/** Events that retention has removed: the client can't have them any more. Both ends are included. */
export interface StreamGap {
  readonly from: number;
  readonly to: number;
}

export interface EventFeedOptions {
  journal: EventJournal;
  bus: EventBus;
  userId: UserId;
  /** The feed begins with the first event behind this `seq`. */
  after: number;
  /** Only this run's events. */
  runId?: RunId;
  /** The run had ended before the feed was made: where the journal has nothing of it, retention has removed it. */
  runEnded?: boolean;
  /**
   * Takes an event, always. `false` says that there is no room for another one until `resume()` is called, which must
   * happen in a later tick.
   */
  send(event: JournalledEvent): boolean;
  /** Called before the event that follows a gap. */
  gap?(gap: StreamGap): void;
  /** Called, in the same tick as the last event of the journal, when the feed goes over to live delivery. */
  live?(): void;
  /** The feed has stopped because the journal or `send` failed. */
  failed(error: unknown): void;
  /** How many events are read at once, at most. @default 100 */
  pageSize?: number;
}

/** Events that may arrive while a page is read without the page having to be followed by another. */
const MAX_ARRIVALS = 256;

/**
 * One reader's way through its user's events, on any transport: every event behind `after`, in order, none twice, from
 * the journal first, then live. A reader that is full leaves the live flow and is caught up from the journal later, so it
 * holds at most one page and a few arrivals of memory, however slow it is.
 */
export class EventFeed {
  private state: 'idle' | 'reading' | 'live' | 'full' | 'stopped' = 'idle';
  private cursor: number;
  /** What was committed since the current read began; undefined when that was too much to keep. */
  private arrivals: JournalledEvent[] | undefined = [];
  private pageSize: number;
  private readonly maxPageSize: number;
  private unsubscribe: (() => void) | undefined;

  constructor(private readonly options: EventFeedOptions) {
    this.cursor = options.after;
    this.maxPageSize = options.pageSize ?? 100;
    this.pageSize = this.maxPageSize;
  }

  get userId(): UserId {
    return this.options.userId;
  }

  /** `seq` of the last event that was sent, or where the feed begins. */
  get position(): number {
    return this.cursor;
  }

  /**
   * Checks where the feed begins, then begins it; the first event may be sent before this resolves.
   *
   * @throws CarrelError `invalid_request` when `after` lies ahead of the newest event
   */
  async start(): Promise<void> {
    const { journal, bus, userId, after } = this.options;
    const { pruned, last } = await journal.bounds(userId);
    checkPosition(after, last);
    if (this.state !== 'idle') return;
    this.unsubscribe = bus.subscribe(
      userId,
      (event) => this.arrived(event),
      (seq) => this.behind(seq),
    );
    void this.catchUp(after < pruned ? pruned : undefined);
  }

  /** There is room again. */
  resume(): void {
    if (this.state === 'full') void this.catchUp();
  }

  /** Ends the feed; nothing is sent after this. */
  stop(): void {
    this.state = 'stopped';
    this.arrivals = undefined;
    this.unsubscribe?.();
    this.unsubscribe = undefined;
  }

  private arrived(event: JournalledEvent): void {
    const { runId } = this.options;
    if (runId && event.runId !== runId) return;
    if (this.state === 'live') this.pass(event);
    else if (this.state === 'reading' && this.arrivals) this.keep(this.arrivals, event);
  }

  /** What is read already may be from before. A reader that is full reads on anyway, when there is room again. */
  private behind(seq: number): void {
    if (this.state === 'reading') this.arrivals = undefined;
    else if (this.state === 'live' && (this.options.runId || seq > this.cursor)) void this.catchUp();
  }

  private keep(arrivals: JournalledEvent[], event: JournalledEvent): void {
    if (arrivals.length < MAX_ARRIVALS) arrivals.push(event);
    else this.arrivals = undefined;
  }

  /** Reads until a page has everything that was committed before it was read; what came since is in `arrivals`. */
  private async catchUp(pruned?: number): Promise<void> {
    this.state = 'reading';
    try {
      while (this.state === 'reading') {
        this.arrivals = [];
        const { pageSize, cursor } = this;
        const { journal, userId, runId } = this.options;
        const { items } = await journal.read(userId, { after: cursor, limit: pageSize, runId });
        if (!this.isReading()) return;
        this.reportGap(items[0], pruned);
        pruned = undefined;
        if (this.passPage(items) && items.length < pageSize && this.arrivals) this.goLive(this.arrivals);
      }
    } catch (error) {
      this.fail(error);
    }
  }

  /** The state can change during every await and every `send`; the compiler does not know. */
  private isReading(): boolean {
    return this.state === 'reading';
  }

  /**
   * A whole stream has a gap where a number is missing. A run's numbers are not contiguous, so one is only reported where
   * retention went beyond the cursor and the run's first event is not there.
   */
  private reportGap(first: JournalledEvent | undefined, pruned: number | undefined): void {
    const { runId, runEnded } = this.options;
    const to = runId || !first ? pruned : first.seq - 1;
    if (to === undefined || to <= this.cursor) return;
    if (runId && (first ? isFirstOfRun(first) : !runEnded)) return;
    this.options.gap?.({ from: this.cursor + 1, to });
    this.cursor = to;
  }

  /** @returns false when the reader had no room for the whole page */
  private passPage(items: readonly JournalledEvent[]): boolean {
    for (const [index, event] of items.entries()) {
      if (!this.isReading()) {
        // A reader that takes little at a time must not make us read much each time.
        this.pageSize = Math.min(this.maxPageSize, Math.max(1, index * 2));
        return false;
      }
      this.pass(event);
    }
    this.pageSize = Math.min(this.maxPageSize, this.pageSize * 2);
    return this.isReading();
  }

  private goLive(arrivals: readonly JournalledEvent[]): void {
    this.arrivals = undefined;
    for (const event of arrivals) {
      if (!this.isReading()) return;
      this.pass(event);
    }
    if (!this.isReading()) return;
    this.state = 'live';
    this.options.live?.();
  }

  private pass(event: JournalledEvent): void {
    const { runId, send } = this.options;
    if (event.seq <= this.cursor) return;
    if (!runId && this.state === 'live' && event.seq !== this.cursor + 1) {
      // The bus skipped something; the journal has it.
      void this.catchUp();
      return;
    }
    this.cursor = event.seq;
    try {
      if (!send(event) && this.state !== 'stopped') this.state = 'full';
    } catch (error) {
      this.fail(error);
    }
  }

  private fail(error: unknown): void {
    if (this.state === 'stopped') return;
    this.stop();
    this.options.failed(error);
  }
}

function isFirstOfRun(event: JournalledEvent): boolean {
  return (JSON.parse(event.json) as { runSeq: number }).runSeq === 1;
}
