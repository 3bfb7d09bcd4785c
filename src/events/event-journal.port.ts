import type { CallId, RunId, UserId } from '../shared/ids.js';
import type { EventDraft, JournalledEvent } from './run-event.js';

export const EVENT_JOURNAL = Symbol('EVENT_JOURNAL');

/** What it took to write a batch. */
export interface CommitFacts {
  /** Writes that shared the transaction. */
  readonly operations: number;
  readonly tookMs: number;
}

export type CommitListener = (events: readonly JournalledEvent[], facts?: CommitFacts) => void;

export interface EventPage {
  /** In the order of `seq`. */
  items: readonly JournalledEvent[];
  /** `seq` to ask for next (`after`): the last one of this page, or what was asked when it is empty. */
  next: number;
}

export interface OpenToolCall {
  callId: CallId;
  tool: string;
}

/**
 * The durable, ordered record of events. Writing is grouped: whatever arises in one tick is one transaction.
 * Every method takes the user first and sees that user's events only.
 */
export interface EventJournal {
  /**
   * Adds events to a running run, and what they record of its steps; resolves when they are on disk. Events of a higher attempt than the run's record has
   * raise it, so that no process that goes on with the run gives a number twice.
   *
   * @param fence the number that `RunStore.claim` gave; a lower one than the run's own writes nothing
   * @throws CarrelError `run_closed` when the run has ended or was claimed by another process
   */
  append(userId: UserId, runId: RunId, fence: number, drafts: readonly EventDraft[]): Promise<void>;

  /** Events after a `seq`, oldest first; of one run when `runId` is given. */
  read(userId: UserId, query: { after: number; limit: number; runId?: RunId }): Promise<EventPage>;

  /** `last`: the newest `seq` (0: none yet). `pruned`: the newest `seq` that retention has removed (0: none). */
  bounds(userId: UserId): Promise<{ pruned: number; last: number }>;

  /** The run's tool calls that were begun (`tool_executing`) and not closed (`tool_completed`), in the order of their begin. */
  openToolCalls(userId: UserId, runId: RunId): Promise<readonly OpenToolCall[]>;

  /**
   * Calls back with every batch that this process has committed, in commit order, before the write's own promise
   * resolves. One user's events come in the order of `seq`.
   */
  onCommitted(listener: CommitListener): void;

  /**
   * Removes ended runs' events older than a moment; never a run that has not ended, and always the user's oldest first.
   * What room is left goes to steps and questions of runs that ended before that moment, then to idempotency keys older
   * than a day. Works in batches of at most `limit` rows.
   *
   * @returns how many were removed: fewer than `limit` means that nothing is left to do
   */
  prune(before: Date, limit: number): Promise<number>;
}
