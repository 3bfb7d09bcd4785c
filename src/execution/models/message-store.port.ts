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
  /** As the AI SDK's `ModelMessage` has it: a text, or a list of parts. Given back to the model unchanged. */
  readonly content: JsonValue;
  /** An estimate, for the cut to a budget of tokens. */
  readonly tokens: number;
  /** Milliseconds since the Unix epoch. */
  readonly createdAtMs: number;
}

export type NewMessage = Omit<MessageRecord, 'threadId' | 'runId'>;

/** The users' conversations. Every method takes the user first. They are deleted with their thread, whoever deletes it. */
export interface MessageStore {
  /**
   * Adds messages of a run to its thread. A message with an index that its run has already is not stored again, so that
   * a run that is carried out from the top once more adds nothing twice.
   *
   * @throws CarrelError `not_found` when the thread is not there (any more)
   */
  append(userId: UserId, threadId: ThreadId, runId: RunId, messages: readonly NewMessage[]): Promise<void>;

  /** A page of a thread's conversation, oldest first. Undefined: there is no such thread. */
  list(
    userId: UserId,
    threadId: ThreadId,
    page: { limit: number; cursor?: string },
  ): Promise<{ items: readonly MessageRecord[]; nextCursor?: string } | undefined>;

  /**
   * The newest messages of runs that were made before `before`, oldest first: as many whole runs as fit into `tokens`, so that
   * no tool's answer is without its call.
   */
  latest(
    userId: UserId,
    threadId: ThreadId,
    limits: { before: RunId; tokens: number; runs: number },
  ): Promise<readonly MessageRecord[]>;
}
