import { toWireError, type WireError } from './problem.js';

/** An error as a socket.io middleware hands it on: the client's `connect_error` has it as `err.message` and `err.data`. */
export function refusal(error: unknown): Error & { data: WireError } {
  const data = toWireError(error);
  return Object.assign(new Error(data.message), { data });
}
