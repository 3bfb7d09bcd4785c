import { isTerminalType, type EventDraft, type TerminalEventType } from '../events/run-event.js';
import type { TerminalStatus } from '../execution/run-status.js';
import { CarrelError } from '../shared/errors.js';
import type { RunId } from '../shared/ids.js';
import type { RunsOfDecisions, UserState } from './decision-tables.js';
import type { LiveRun } from './run-row.js';

/** How a run ended → the type of its terminal event. */
const TERMINAL_TYPE: Record<TerminalStatus, TerminalEventType> = {
  completed: 'agent_completed',
  degraded: 'agent_completed',
  failed: 'agent_error',
  timed_out: 'agent_error',
  cancelled: 'agent_cancelled',
};

/**
 * The running run that the holder of this fence may write to.
 *
 * @throws CarrelError `run_closed` when it is not there, not running, or was claimed by somebody else
 */
export function liveRunUnderFence(runs: RunsOfDecisions, user: UserState, runId: RunId, fence: number): LiveRun {
  const run = runs.findLive(user, runId);
  if (run?.status === 'running' && run.fence === fence) return run;
  throw new CarrelError('run_closed');
}

/** @throws CarrelError `internal` when the drafts would end the run */
export function refuseTerminal(drafts: readonly EventDraft[]): void {
  const terminal = drafts.find(({ type }) => isTerminalType(type));
  if (terminal) throw new CarrelError('internal', `${terminal.type} can only be written by the end of a run`);
}

/** @throws CarrelError `internal` unless the drafts end with the one terminal event that belongs to the status */
export function refuseWrongEnd(status: TerminalStatus, drafts: readonly EventDraft[]): void {
  if (drafts.at(-1)?.type !== TERMINAL_TYPE[status]) {
    throw new CarrelError('internal', `The events of a run that is ${status} must end with ${TERMINAL_TYPE[status]}`);
  }
  refuseTerminal(drafts.slice(0, -1));
}
