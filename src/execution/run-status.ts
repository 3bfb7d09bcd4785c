/** Where a run is in its life. `suspended` goes back through `queued`. */
export type RunStatus =
  'queued' | 'running' | 'suspended' | 'completed' | 'degraded' | 'failed' | 'timed_out' | 'cancelled';

export type TerminalStatus = Extract<RunStatus, 'completed' | 'degraded' | 'failed' | 'timed_out' | 'cancelled'>;

/** Status → the statuses that may follow it. Terminal statuses are final. */
const NEXT: Record<RunStatus, readonly RunStatus[]> = {
  queued: ['running', 'cancelled', 'failed', 'timed_out'],
  running: ['queued', 'suspended', 'completed', 'degraded', 'failed', 'timed_out', 'cancelled'],
  suspended: ['queued', 'failed', 'timed_out', 'cancelled'],
  completed: [],
  degraded: [],
  failed: [],
  timed_out: [],
  cancelled: [],
};

export const RUN_STATUSES = Object.keys(NEXT) as readonly RunStatus[];

export function canFollow(from: RunStatus, to: RunStatus): boolean {
  return NEXT[from].includes(to);
}

export function isTerminal(status: RunStatus): status is TerminalStatus {
  return NEXT[status].length === 0;
}
