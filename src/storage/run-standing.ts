import type { RunHold } from '../execution/run-store.port.js';
import type { RunStatus } from '../execution/run-status.js';
import type { RunId, ThreadId } from '../shared/ids.js';
import type { WaitingLine } from './waiting-line.js';

/** What a user's unended runs add up to. It follows from their rows, and is kept in step with them by `count` alone. */
export interface Standing {
  /** Runs that have a place in the lane. */
  admitted: number;
  /** Runs that wait for one. */
  readonly waiting: WaitingLine;
  /** Runs that may not even wait for one yet. */
  held: number;
  suspended: number;
  /** The unended runs of each thread in the order of their arrival: the first one's turn it is. */
  readonly threads: Map<ThreadId, RunId[]>;
}

/** The part of a run that says where it stands. */
interface Stands {
  readonly id: RunId;
  readonly status: RunStatus;
  readonly admitted: boolean;
  readonly hold: RunHold | undefined;
  readonly priority: number;
}

/** Counts an unended run where it stands, or with -1 takes it out again. */
export function count(user: Standing, run: Stands, by: 1 | -1): void {
  if (run.admitted) user.admitted += by;
  else if (run.status === 'suspended') user.suspended += by;
  else if (run.hold !== undefined) user.held += by;
  else if (by === 1) user.waiting.add(run);
  else user.waiting.remove(run);
}

/** Puts a run at the end of its thread's line. */
export function joinThread(user: Standing, { id, threadId }: { id: RunId; threadId: ThreadId }): void {
  const line = user.threads.get(threadId);
  if (line) line.push(id);
  else user.threads.set(threadId, [id]);
}

/** @returns the run whose turn it is in the thread now, if any is left */
export function leaveThread(user: Standing, { id, threadId }: { id: RunId; threadId: ThreadId }): RunId | undefined {
  const line = user.threads.get(threadId) ?? [];
  const place = line.indexOf(id);
  if (place === -1) throw new Error(`${id} is not in the line of its thread`);
  line.splice(place, 1);
  if (line.length === 0) user.threads.delete(threadId);
  return line[0];
}
