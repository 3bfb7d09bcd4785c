import type { JsonValue } from '../../shared/json.js';
import type { MessageId, RunId, ThreadId, UserId } from '../../shared/ids.js';

export const MESSAGE_STORE = Symbol('MESSAGE_STORE');

/** One message of a thread's conversation. */
export interface MessageRecord {
  readonly id: MessageId;
  readonly threadId: ThreadId;
  /** The run that it came with. */
  readonly runId: RunId;
  /** Its place among its run's messages, from 0. */
  readonly index: number;
  readonly role: 'user' | 'assistant' | 'tool';
  /** A text, or a list of parts, as the AI SDK's messages have it. Given back to the model unchanged. */
  readonly content: JsonValue;
  /** An estimate, for the cut to a budget of tokens. */
  readonly tokens: number;
  /** Milliseconds since the Unix epoch. */
  readonly createdAtMs: number;
}

export type NewMessage = Omit<MessageRecord, 'threadId' | 'runId'>;

/** How much of a conversation is wanted. */
export interface HistoryLimits {
  /** The run that asks: its own messages are left out. */
  readonly except: RunId;
  readonly tokens: number;
  /** How many runs at most. */
  readonly runs: number;
}

/**
 * The users' conversations. Every method takes the user first: another user's thread is not found. Messages are deleted with
 * their thread, whoever deletes it. They are in the order in which they were added, and those of one run stand together, for
 * the runs of a thread never overlap.
 */
export interface MessageStore {
  /**
   * Adds messages of a run that is under way to its thread. A message whose index its run has passed already is not stored
   * again, so that a run that is carried out from the top once more adds nothing twice.
   *
   * @param messages in the order of their indices
   * @param limit messages of the thread that are kept: beyond it the oldest runs' go, each run's together
   * @throws CarrelError `not_found` when there is no such thread, `run_closed` when the run is not under way in it
   */
  append(
    userId: UserId,
    threadId: ThreadId,
    runId: RunId,
    messages: readonly NewMessage[],
    limit: number,
  ): Promise<void>;

  /**
   * A page of a thread's conversation, oldest first; it is shorter than its limit when the messages are long. Undefined: there
   * is no such thread.
   *
   * @throws CarrelError `invalid_request` for a cursor that no list gave
   */
  list(
    userId: UserId,
    threadId: ThreadId,
    page: { limit: number; cursor?: string },
  ): Promise<{ items: readonly MessageRecord[]; nextCursor?: string } | undefined>;

  /**
   * The newest messages that fit into the limits, oldest first: whole runs, so that no tool's answer is without its call, and of
   * a run that does not fit as a whole its first and last message. What is older than a run of which not even those fit is left
   * out.
   */
  latest(userId: UserId, threadId: ThreadId, limits: HistoryLimits): Promise<readonly MessageRecord[]>;
}
