import type { ApprovalAnswer, ApprovalDecision } from '../events/approval-record.js';
import type { EventDraft, JournalledEvent } from '../events/run-event.js';
import type { NewRun, RunOutcome, RunRecord } from '../execution/run-store.port.js';
import type { ApprovalId, RunId, UserId } from '../shared/ids.js';
import type { JsonValue } from '../shared/json.js';
import type { LiveRun, RunPlace } from './run-row.js';
import type { Standing } from './run-standing.js';

/** The length of the fixed window in which starts are counted. */
export const WINDOW_MS = 60_000;

/** What must be known of a user at every decision: sequence, lane and runs under way. */
export interface UserState extends Standing {
  readonly id: UserId;
  lastSeq: number;
  windowStartMs: number;
  /** Starts in the window that began then. */
  starts: number;
}

/** A run as a decision finds it. */
export type FoundRun = { live: LiveRun } | { ended: RunRecord };

/** A question that nobody has decided. */
export interface OpenApproval {
  readonly id: string;
  readonly step: string;
}

/** How a question is closed. */
export interface Verdict {
  decision: ApprovalDecision;
  answer?: JsonValue;
  by?: UserId;
  atMs: number;
}

/**
 * What the decisions about runs read and write, whatever keeps it: each method is carried out at once, within the transaction
 * that is open, and is undone with it. The user's state comes first, as it is now.
 */
export interface DecisionTables {
  readonly users: {
    /** All zeros for a user whom nobody has seen. */
    load(id: UserId, nowMs: number): UserState;
    /** Gives a new user a row. */
    enlist(user: UserState): void;
  };
  readonly threads: {
    /** The thread of a new run, which is made with it when there is none: what `runs.insert` takes. */
    ensure(user: UserState, run: NewRun): unknown;
  };
  readonly runs: RunsOfDecisions;
  readonly events: {
    /** Appends a run's next events; the caller has made sure that the run may have them. */
    append(user: UserState, run: LiveRun, drafts: readonly EventDraft[], journalled: JournalledEvent[]): void;
  };
  readonly steps: {
    /** Gives a step that asked its answer. */
    answer(user: UserState, run: LiveRun, path: string, answer: ApprovalAnswer, atMs: number): void;
    /** Lets the steps rest that are under way, for their run is suspended; not those that were `interrupted`. */
    rest(user: UserState, run: LiveRun, interrupted?: readonly string[]): void;
    /** Makes the finished steps of the user's run `from` this run's own. */
    reuse(user: UserState, run: LiveRun, from: RunId): void;
  };
  readonly approvals: {
    /** `unknown` also when it is not this run's. */
    stateOf(user: UserState, run: LiveRun, id: ApprovalId): 'open' | 'closed' | 'unknown';
    openOf(user: UserState, run: LiveRun): OpenApproval[];
    close(user: UserState, approval: OpenApproval, verdict: Verdict): void;
  };
}

export interface RunsOfDecisions {
  /** Records a new run and counts it where it stands. */
  insert(user: UserState, thread: unknown, run: NewRun, place: RunPlace): { live: LiveRun; record: RunRecord };
  find(user: UserState, runId: RunId): FoundRun | undefined;
  /** A run that has not ended. */
  findLive(user: UserState, runId: RunId): LiveRun | undefined;
  findByIdempotencyKey(user: UserState, key: string): { run: RunRecord; fingerprint: string } | undefined;
  record(user: UserState, run: LiveRun): RunRecord;
  /** Writes status, attempt, fence, start and place of a run, and who wants it cancelled. */
  saveState(user: UserState, run: LiveRun): void;
  /** Changes a run that has not ended, and the user's counts. */
  move(user: UserState, run: LiveRun, change: Partial<LiveRun>): void;
  /** Gives a waiting run its place. */
  admit(user: UserState, run: LiveRun): void;
  /** Writes who wants a running run cancelled. */
  noteCancel(user: UserState, run: LiveRun, by: string): void;
  /** Writes the end of a run; `run` stays as it was before. */
  end(user: UserState, run: LiveRun, outcome: RunOutcome): void;
}
