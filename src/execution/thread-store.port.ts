import type { JsonObject } from '../shared/json.js';
import type { ThreadId, UserId } from '../shared/ids.js';

export const THREAD_STORE = Symbol('THREAD_STORE');

/** One conversation of one user. */
export interface ThreadRecord {
  id: ThreadId;
  userId: UserId;
  title?: string;
  metadata: JsonObject;
  /** Milliseconds since the Unix epoch. */
  createdAtMs: number;
}

/** The users' threads. Every method takes the user first: another user's thread is not found. */
export interface ThreadStore {
  /** @returns the thread that is there now, and whether this call made it */
  create(userId: UserId, thread: Omit<ThreadRecord, 'userId'>): Promise<{ thread: ThreadRecord; created: boolean }>;

  find(userId: UserId, threadId: ThreadId): Promise<ThreadRecord | undefined>;

  /** Newest first. */
  list(
    userId: UserId,
    page: { limit: number; cursor?: string },
  ): Promise<{ items: readonly ThreadRecord[]; nextCursor?: string }>;

  /**
   * Deletes a thread with its conversation and its runs; their events stay in the journal, emptied of their data, so that the numbering stays whole.
   *
   * @returns false when there was none
   * @throws CarrelError `thread_busy` while a run of it has not ended
   */
  delete(userId: UserId, threadId: ThreadId): Promise<boolean>;
}
