import type { ThreadRecord } from '../execution/thread-store.port.js';
import { CarrelError } from '../shared/errors.js';
import { THREAD_ID_PATTERN } from '../shared/ids.js';

export function threadCursorOf({ createdAtMs, id }: Pick<ThreadRecord, 'createdAtMs' | 'id'>): string {
  return `${createdAtMs}:${id}`;
}

/**
 * A cursor is the place of the last thread that was seen; it holds also when that thread has been deleted.
 *
 * @throws CarrelError `invalid_request` for one that no list gave
 */
export function placeOfThread(cursor: string): [createdAtMs: number, id: string] {
  const [, createdAtMs, id = ''] = /^(\d{1,15}):(.+)$/.exec(cursor) ?? [];
  if (THREAD_ID_PATTERN.test(id)) return [Number(createdAtMs), id];
  throw new CarrelError('invalid_request', 'cursor must be the nextCursor of the page before');
}
