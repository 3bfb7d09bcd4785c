import type { MessageRecord } from '../execution/models/message-store.port.js';
import { CarrelError } from '../shared/errors.js';
import type { MessageId, RunId, ThreadId } from '../shared/ids.js';
import type { JsonValue } from '../shared/json.js';
import { parsed } from './run-row.js';

export interface MessageRow {
  /** Its number in the thread. */
  place: number;
  run_id: RunId;
  nth: number;
  id: MessageId;
  role: MessageRecord['role'];
  tokens: number;
  created_at: number;
  content: string;
}

/** @throws CarrelError `internal` when the row can't be read */
export function messageFromRow(threadId: ThreadId, row: MessageRow): MessageRecord {
  return {
    id: row.id,
    threadId,
    runId: row.run_id,
    index: row.nth,
    role: row.role,
    content: parsed(row.content, row.id) as JsonValue,
    tokens: row.tokens,
    createdAtMs: row.created_at,
  };
}

/**
 * A cursor is the number of the last message that was seen; it holds also when that has gone.
 *
 * @throws CarrelError `invalid_request` for one that no list gave
 */
export function placeOfMessage(cursor: string): number {
  if (/^\d{1,15}$/.test(cursor)) return Number(cursor);
  throw new CarrelError('invalid_request', 'cursor must be the nextCursor of the page before');
}
