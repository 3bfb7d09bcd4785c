import type { EventDraft } from '../events/run-event.js';
import type { RunError, Usage } from '../events/run-error.js';
import type { JsonObject, JsonValue } from '../shared/json.js';
import type { ApprovalId, RunId, UserId, ThreadId } from '../shared/ids.js';
import type { StepRecord } from '../events/step-record.js';
import type { LaneLimits, LaneState } from './lane.js';
import type { PipelineSpec } from './pipeline/pipeline-spec.js';
import type { RunOrigin } from './run-origin.js';
import type { RunStatus, TerminalStatus } from './run-status.js';

export const RUN_STORE = Symbol('RUN_STORE');

/** Who owns a run and which one it is: all that travels through a dispatcher. */
export interface RunRef {
  userId: UserId;
  runId: RunId;
}

export interface RunRecord {
  id: RunId;
  userId: UserId;
  threadId: ThreadId;
  /** Name of the agent, or of the pipeline when `pipeline` is there. */
  agent: string;
  /** The name of a pipeline of this server, or a whole one that came with the request. */
  pipeline?: string | PipelineSpec;
  status: RunStatus;
  input: JsonValue;
  metadata: JsonObject;
  origin: RunOrigin;
  /** Its place in its user's line: higher ones are admitted first. */
  priority: number;
  /** The run that this one tries again. */
  retryOf?: RunId;
  /** Why it waits although its user's lane may have room: for its thread's earlier run, or for its time (`notBeforeMs`). */
  heldBy?: RunHold;
  notBeforeMs?: number;
  result?: JsonValue;
  error?: RunError;
  usage?: Usage;
  /** 0 while it has never run, then the number of the current or last attempt. */
  attempt: number;
  /** Raised by every claim. A write with a lower number than the record's changes nothing. */
  fence: number;
  /** Who asked for the cancel, when somebody has. */
  cancelRequestedBy?: string;
  /** All moments are milliseconds since the Unix epoch. */
  createdAtMs: number;
  startedAtMs?: number;
  /** How long it has been suspended in all, in milliseconds; its deadline moves by as much. */
  suspendedMs: number;
  endedAtMs?: number;
}

export type RunHold = 'thread' | 'delay';

/** What becomes of a new run whose thread has a run that has not ended. */
export type OnConflict = 'enqueue' | 'reject' | 'interrupt';

export interface NewRun {
  id: RunId;
  /** Is made if the user has none of that id. */
  threadId: ThreadId;
  /** True when the id was made for this run, so that the user can have no thread of it. */
  opensThread?: boolean;
  agent: string;
  pipeline?: string | PipelineSpec;
  /** @default 0 */
  priority?: number;
  /** It takes no part in its lane before. */
  notBeforeMs?: number;
  /** @default 'enqueue' */
  onConflict?: OnConflict;
  /** The run that this one tries again. */
  retryOf?: RunId;
  /** The finished (`ok`) steps of `retryOf` become this run's own. */
  reuseSteps?: boolean;
  input: JsonValue;
  metadata: JsonObject;
  origin: RunOrigin;
  createdAtMs: number;
  /** `fingerprint` tells whether a second request with the same key asks for the same. */
  idempotency?: { key: string; fingerprint: string };
  /** Its place in line, from 1, if it is admitted while no slot is free, of which it is told; 0 when one is free. */
  placeInLine: number;
  /**
   * Not with `notBeforeMs` or `reuseSteps`. Given when this process holds a slot for the run: if it is admitted, it is claimed in the same transaction, with
   * this first event, as `claim` would.
   */
  opening?: (run: ClaimedRun) => EventDraft;
}

export interface Submitted {
  run: RunRecord;
  /** True when this call gave the run a place in the lane: it must be handed to the dispatcher now. */
  admitted: boolean;
  /** True when the idempotency key named a run that was there already; nothing was changed. */
  replayed: boolean;
  /** True when the run is this process's own already: `opening` was given, and it was admitted. */
  claimed: boolean;
  /** `interrupt`: runs of the thread that are running and have been told to end; whoever runs them must be told. */
  interrupted: readonly RunRef[];
  /** `interrupt`: other runs that were admitted to a place which an interrupted one gave back, to be dispatched. */
  admittedBeside: readonly RunRef[];
}

/** What a run waits for when it is suspended. */
export interface Suspension {
  /** Questions that must all be open still. */
  approvals: readonly ApprovalId[];
  /** When the earliest of its sleeps is over; the questions' own ends are known. */
  untilMs?: number;
  /**
   * Paths of steps that must be done once, and were under way when an earlier attempt or process ended: they do not rest,
   * but stay `started` until their owner has decided.
   */
  interrupted?: readonly string[];
}

export type SuspendOutcome =
  | { outcome: 'suspended'; admitted: readonly RunRef[] }
  | { outcome: 'answered' }
  | { outcome: 'cancel_requested'; by: string };

/** What has come due. */
export interface Woken {
  /** Runs that were admitted by this, to be dispatched. */
  admitted: readonly RunRef[];
  /** Runs that are running while a question of theirs has expired: whoever runs them must be told. */
  answered: readonly RunRef[];
  /** True when there may be more that is due already. */
  more: boolean;
}

/** A run that holds a place in its lane and that nobody carries. No user's data, only who and which. */
export interface UnfinishedRun extends RunRef {
  readonly status: RunStatus;
  readonly fence: number; // as it was found: whoever brings it on its way raises it
}

/** How a run ended; becomes its record and its terminal event. */
export interface RunOutcome {
  status: TerminalStatus;
  endedAtMs: number;
  /** The number of the last attempt. */
  attempt: number;
  result?: JsonValue;
  error?: RunError;
  usage?: Usage;
}

/** What became of a wish to cancel. */
export type CancelRequest =
  | { outcome: 'not_found' }
  | { outcome: 'already_ended'; run: RunRecord }
  /** It was not running: it has ended as cancelled, and `agent_cancelled` is in the journal. */
  | { outcome: 'cancelled'; run: RunRecord; admitted: readonly RunRef[] }
  /** It is running: whoever runs it must be told. */
  | { outcome: 'requested'; run: RunRecord };

/** A run that this process has made its own. */
export interface ClaimedRun extends RunRecord {
  /** It comes back from a suspension. */
  resumed: boolean;
  /** There may be steps recorded of it. */
  hasSteps: boolean;
}

export interface RunPage {
  items: readonly RunRecord[];
  /** What to ask for next, when there is more. */
  nextCursor?: string;
}

export interface RunFilter {
  status?: RunStatus;
  threadId?: ThreadId;
}

/**
 * The record of all runs, and the owner of every transition and of admission. Each method is one transaction (many of
 * them share one commit) and takes the user first: another user's run is not found, exactly like one that never existed.
 */
export interface RunStore {
  /**
   * Records a run and takes a place in the user's lane, with its `agent_queued` event when it has to wait. Runs of one
   * thread are carried out one after the other, in the order of their arrival: a later one is held until those before it
   * have ended. A run that waits is held by its time first, then by its thread.
   *
   * @throws CarrelError `queue_full` | `rate_limited` (with `retryAfterMs`) | `idempotency_conflict` | `thread_busy` (with
   *   `onConflict: 'reject'`); nothing is stored then
   */
  submit(userId: UserId, run: NewRun, limits: LaneLimits): Promise<Submitted>;

  find(userId: UserId, runId: RunId): Promise<RunRecord | undefined>;

  /** Newest first. */
  list(userId: UserId, filter: RunFilter, page: { limit: number; cursor?: string }): Promise<RunPage>;

  /**
   * Makes an admitted, queued run this process's own: `running`, fence raised by one, attempt too unless it comes back
   * from a suspension, and `opening` (an `agent_started`; an `agent_retrying` when it was interrupted; an `agent_resumed`
   * when it was suspended: `record.resumed`) in the journal, in one transaction.
   *
   * @returns the record as it is now; undefined when it is not there, not queued or not admitted
   */
  claim(userId: UserId, runId: RunId, opening: (run: ClaimedRun) => EventDraft): Promise<ClaimedRun | undefined>;

  /**
   * What is recorded of a run's steps, in the order in which they were first written. A run that was never interrupted,
   * suspended or given another's steps has none when it is claimed (`ClaimedRun.hasSteps`).
   */
  steps(userId: UserId, runId: RunId): Promise<readonly StepRecord[]>;

  /**
   * Suspends a running run: `suspended`, its place in the lane given back, what waits next admitted, its `started` steps
   * (but for the interrupted ones) `waiting`, and `events` in the journal, in one transaction. `events` end with
   * `agent_suspended`.
   *
   * @returns `answered` when one of the questions is not open any more, `cancel_requested` when somebody wants the run
   *   cancelled: nothing is written then
   * @throws CarrelError `run_closed` as `finish` does; `too_many_suspended`
   */
  suspend(
    userId: UserId,
    runId: RunId,
    fence: number,
    suspension: Suspension,
    events: readonly EventDraft[],
    limits: LaneLimits,
  ): Promise<SuspendOutcome>;

  /**
   * Lets what is due go on, at most `limit` of it: delayed runs take their place in their lane, suspended runs whose sleep
   * is over or whose question has expired go back into theirs. An expired question is closed, with `approval_resolved`.
   */
  wake(nowMs: number, limit: number, limits: LaneLimits): Promise<Woken>;

  /** When the next thing is due; undefined when nothing is. */
  nextDueMs(): Promise<number | undefined>;

  /**
   * Ends a run: record, last events and place in the lane in one transaction, which also admits what waits next. Questions
   * of the run that are still open are withdrawn, with `approval_resolved` before the terminal event, which `events` end with.
   *
   * @returns the user's runs that this has admitted, to be dispatched
   * @throws CarrelError `run_closed` when the run has ended or was claimed by another process; nothing is written then
   */
  finish(
    userId: UserId,
    runId: RunId,
    fence: number,
    outcome: RunOutcome,
    events: readonly EventDraft[],
    limits: LaneLimits,
  ): Promise<{ admitted: readonly RunRef[] }>;

  /**
   * Puts a running run back to `queued`; it keeps its place in the lane.
   *
   * @throws CarrelError `run_closed` as `finish` does
   */
  requeue(userId: UserId, runId: RunId, fence: number): Promise<void>;

  /**
   * For a process that finds a run whose own has stopped in the middle of it: raises the fence, and nothing else, so that this
   * one can finish or requeue it, and the other one can write no more. Of several that have found it, one takes it.
   *
   * @param fence as it was found
   * @returns the record as it is now; undefined when it is not there, not running, or has been taken since
   */
  takeOver(userId: UserId, runId: RunId, fence: number): Promise<RunRecord | undefined>;

  /**
   * Records that the user wants a run cancelled. One that is not running (queued or suspended) ends at once, with `closing`
   * in the journal, as `finish` would end it.
   */
  requestCancel(
    userId: UserId,
    runId: RunId,
    by: string,
    closing: (run: RunRecord) => EventDraft,
    limits: LaneLimits,
  ): Promise<CancelRequest>;

  /** Of these runs, those that are running while somebody wants them cancelled: their process may not have heard of it. */
  cancelWishes(runs: readonly RunRef[]): Promise<readonly (RunRef & { by: string })[]>;

  /** The state of a user's lane; zeros for a user nobody has seen. */
  lane(userId: UserId): Promise<LaneState>;

  /** The user's waiting runs in the order in which they will be admitted; those that are held come last. */
  waiting(userId: UserId, limit: number): Promise<readonly RunRecord[]>;

  /**
   * Runs of all users that have not ended and hold a place in their lane, and that no living process carries, oldest first.
   * Where other processes may be about to claim them, `queuedForMs` leaves out those that got their place less than so long ago.
   */
  unfinished(after: RunId | undefined, limit: number, queuedForMs?: number): Promise<readonly UnfinishedRun[]>;
}
