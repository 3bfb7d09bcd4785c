import { CarrelError } from '../shared/errors.js';

/** @throws CarrelError `invalid_request` when a client claims to have events that do not exist */
export function checkPosition(after: number, last: number): void {
  if (after <= last) return;
  throw new CarrelError('invalid_request', `after is ${after}, but the newest event is ${last}: begin there, or at 0`);
}
