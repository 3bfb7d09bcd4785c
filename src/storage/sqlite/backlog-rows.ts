import type { Usage } from '../../events/run-error.js';
import type { RunStatus, TerminalStatus } from '../../execution/run-status.js';
import type { ThreadId, UserId } from '../../shared/ids.js';
import type { RunRow } from '../run-row.js';

/** Columns of `runs` that a new run has, in this order. */
export const OPENED_COLUMNS =
  'id, thread_key, thread_id, agent, status, admitted, attempt, fence, created_at, started_at, idempotency_key, fingerprint';
export type OpenedColumns = readonly [
  id: string,
  threadKey: number,
  threadId: string,
  agent: string,
  status: string,
  admitted: number,
  attempt: number,
  fence: number,
  createdAt: number,
  startedAt: number | null,
  idempotencyKey: string | null,
  fingerprint: string | null,
];
export const ID_COLUMN = 0;
export const IDEMPOTENCY_KEY_COLUMN = 10;

/** Columns of `run_steps` that a step has, in this order. */
export const STEP_COLUMNS =
  'path, first_seq, nth, kind, effect, state, attempts, started_at, ended_at, until_at, outcome';
export type StepColumns = readonly [
  path: string,
  firstSeq: number,
  nth: number,
  kind: string,
  effect: string,
  state: string,
  attempts: number,
  startedAt: number,
  endedAt: number | null,
  untilAt: number | null,
  outcome: string | null,
];
export const OUTCOME_COLUMN = 10;

/** A thread that was made by its first run. */
export interface PendingThread {
  key: number;
  id: ThreadId;
  createdAtMs: number;
}

export interface OpenedRun {
  columns: OpenedColumns;
  request: string;
  thread?: PendingThread;
}

/** What changes of a run while it is neither held nor suspended. */
export interface RunState {
  status: RunStatus;
  admitted: boolean;
  attempt: number;
  fence: number;
  startedAtMs: number | null;
  cancelRequestedBy: string | null;
}

/** How a run ended, and what its user's figures need to know of it. */
export interface RunEnd {
  status: TerminalStatus;
  attempt: number;
  fence: number;
  startedAtMs: number | null;
  endedAtMs: number;
  cancelRequestedBy: string | null;
  stepped: boolean;
  agent: string;
  waitedMs: number;
  ranMs: number;
  usage?: Usage;
  /** The column `outcome`. */
  outcome: string;
}

/** Events of one run that follow each other: a row of `events`. */
export interface PendingEvents {
  lines: string;
  count: number;
  lastSeq: number;
  lastAtMs: number;
}

/** What is not in its tables yet of one run. */
export interface PendingRun {
  readonly key: number;
  opened?: OpenedRun;
  readonly events: PendingEvents[];
  steps?: Map<string, StepColumns>;
  state?: RunState;
  end?: RunEnd;
  /** What the transaction that is open adds. */
  delta?: RunDelta;
}

/** What is not in its tables yet of one user. */
export interface PendingUser {
  readonly id: UserId;
  readonly key: number;
  /** There may be no row of `users` yet. */
  isNew: boolean;
  /** When the first event arose, if the user had none before. */
  oldestAtMs?: number;
  readonly threads: Map<ThreadId, PendingThread>;
  readonly runs: Map<number, PendingRun>;
  readonly logKeys: number[];
  characters: number;
  /** All of it is in its tables now. */
  isSettled: boolean;
}

/** What one transaction adds to one run: a row of `backlog`. */
export interface RunDelta {
  readonly user: PendingUser;
  readonly runKey: number;
  opened?: OpenedRun;
  events?: PendingEvents;
  steps?: StepColumns[];
  state?: RunState;
  end?: RunEnd;
}

/** A row of `backlog`. */
export interface BacklogRow {
  key: number;
  user_key: number;
  user_id: string;
  run_key: number;
  last_seq: number | null;
  events: string | null;
  facts: string | null;
  request: string | null;
  outcome: string | null;
}

/** The column `facts`. */
interface Facts {
  opened?: Omit<OpenedRun, 'request'>;
  steps?: readonly StepColumns[];
  state?: RunState;
  end?: Omit<RunEnd, 'outcome'>;
}

/** The row of `runs` that a run will have which has none yet: it was neither held nor suspended, or it would have one. */
export function rowOf(columns: OpenedColumns, { key, state, end }: PendingRun): RunRow {
  const [id, , threadId, agent, status, admitted, attempt, fence, createdAt, startedAt] = columns;
  const latest = end ?? state;
  return {
    key,
    id,
    thread_id: threadId,
    agent,
    status: latest?.status ?? status,
    admitted: Number(end ? false : (state?.admitted ?? admitted)),
    attempt: latest?.attempt ?? attempt,
    fence: latest?.fence ?? fence,
    cancel_requested_by: latest?.cancelRequestedBy ?? null,
    created_at: createdAt,
    started_at: latest ? latest.startedAtMs : startedAt,
    ended_at: end?.endedAtMs ?? null,
    outcome: end?.outcome ?? null,
    priority: 0,
    hold: null,
    due_at: null,
    resumed: 0,
    suspended_at: null,
    suspended_ms: 0,
    stepped: 0,
  };
}

/** What a delta's row holds beside its keys; long texts have columns of their own, so that nothing is escaped twice. */
export function storedDeltaOf({
  opened,
  events,
  steps,
  state,
  end,
}: RunDelta): Omit<BacklogRow, 'key' | 'user_key' | 'user_id' | 'run_key'> {
  const { request = null, ...openedFacts } = opened ?? {};
  const { outcome = null, ...endFacts } = end ?? {};
  const facts = { opened: opened && openedFacts, steps, state, end: end && endFacts } as Facts;
  return {
    last_seq: events?.lastSeq ?? null,
    events: events?.lines ?? null,
    facts: opened || steps || state || end ? JSON.stringify(facts) : null,
    request,
    outcome,
  };
}

export function factsFromRow({
  facts,
  request,
  outcome,
}: BacklogRow): Pick<RunDelta, 'opened' | 'steps' | 'state' | 'end'> {
  const { opened, steps, state, end } = JSON.parse(facts ?? '{}') as Facts;
  return {
    opened: opened && { ...opened, request: request! },
    steps: steps && [...steps],
    state,
    end: end && { ...end, outcome: outcome! },
  };
}
