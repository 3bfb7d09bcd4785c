import type { RunError, Usage } from '../events/run-error.js';
import type { PipelineSpec } from '../execution/pipeline/pipeline-spec.js';
import type { RunOrigin } from '../execution/run-origin.js';
import type { NewRun, RunHold, RunRecord } from '../execution/run-store.port.js';
import type { RunStatus } from '../execution/run-status.js';
import { CarrelError } from '../shared/errors.js';
import type { RunId, ThreadId, UserId } from '../shared/ids.js';
import type { JsonObject, JsonValue } from '../shared/json.js';

/** The state of a run that has not ended, as the writer remembers it. */
export interface LiveRun {
  readonly key: number;
  readonly id: RunId;
  readonly threadId: ThreadId;
  readonly agent: string;
  status: RunStatus;
  admitted: boolean;
  readonly priority: number;
  hold: RunHold | undefined;
  /** When it is to be woken: held by its time, or suspended until then. */
  dueAtMs: number | undefined;
  attempt: number;
  fence: number;
  cancelRequestedBy: string | undefined;
  readonly createdAtMs: number;
  startedAtMs: number | undefined;
  /** It comes back from a suspension and was not claimed since. */
  resumed: boolean;
  suspendedAtMs: number | undefined;
  /** Its suspensions that are over, summed. */
  suspendedMs: number;
  /** False when it can have neither steps nor questions, so that nobody need look for them. */
  stepped: boolean;
  /** The number of its last event, 0: none yet. */
  runSeq: number;
  /** The part of its events' envelopes that is always the same. */
  readonly head: string;
  /** The column `request`, from admission to claim, when it is short. */
  request: string | undefined;
}

/** A row of `runs`. The id of its user is not in it: the caller asked for that user's runs only. */
export interface RunRow {
  key: number;
  id: string;
  thread_id: string;
  agent: string;
  status: string;
  admitted: number;
  attempt: number;
  fence: number;
  cancel_requested_by: string | null;
  created_at: number;
  started_at: number | null;
  ended_at: number | null;
  outcome: string | null;
  priority: number;
  hold: string | null;
  due_at: number | null;
  resumed: number;
  suspended_at: number | null;
  suspended_ms: number;
  stepped: number;
}

/** The column `request`: what never changes. */
export interface RunRequest {
  input: JsonValue;
  metadata: JsonObject;
  origin: RunOrigin;
  pipeline?: string | PipelineSpec;
  retryOf?: RunId;
  notBeforeMs?: number;
}

/** Where a new run begins. */
export interface RunPlace {
  hold: RunHold | undefined;
  admitted: boolean;
  claimed: boolean;
}

/** The column `outcome`: what is known at the end. */
export interface StoredOutcome {
  result?: JsonValue;
  error?: RunError;
  usage?: Usage;
}

/** A run as it begins: held, in line, or claimed at once. */
export function liveRunOf(run: NewRun, key: number, { hold, admitted, claimed }: RunPlace): LiveRun {
  return {
    key,
    id: run.id,
    threadId: run.threadId,
    agent: run.agent,
    status: claimed ? 'running' : 'queued',
    admitted,
    priority: run.priority ?? 0,
    hold,
    dueAtMs: hold === 'delay' ? run.notBeforeMs : undefined,
    attempt: claimed ? 1 : 0,
    fence: claimed ? 1 : 0,
    cancelRequestedBy: undefined,
    createdAtMs: run.createdAtMs,
    startedAtMs: claimed ? run.createdAtMs : undefined,
    resumed: false,
    suspendedAtMs: undefined,
    suspendedMs: 0,
    stepped: run.reuseSteps === true,
    runSeq: 0,
    head: envelopeHead(run.id, run.threadId, run.agent),
    request: undefined,
  };
}

/** How long a run has been suspended in all when it goes on, or ends, at this moment. */
export function suspendedUntil(run: LiveRun, nowMs: number): number {
  // a clock that was set back must not take time away
  return run.suspendedMs + (run.suspendedAtMs === undefined ? 0 : Math.max(0, nowMs - run.suspendedAtMs));
}

/** @param known what the row does not say: the number of the run's last event, and whether it has had steps since its claim */
export function liveRunFromRow(row: RunRow, { runSeq, hasSteps }: { runSeq: number; hasSteps: boolean }): LiveRun {
  return {
    key: row.key,
    id: row.id as RunId,
    threadId: row.thread_id as ThreadId,
    agent: row.agent,
    status: row.status as RunStatus,
    admitted: row.admitted === 1,
    priority: row.priority,
    hold: (row.hold as RunHold | null) ?? undefined,
    dueAtMs: row.due_at ?? undefined,
    attempt: row.attempt,
    fence: row.fence,
    cancelRequestedBy: row.cancel_requested_by ?? undefined,
    createdAtMs: row.created_at,
    startedAtMs: row.started_at ?? undefined,
    resumed: row.resumed === 1,
    suspendedAtMs: row.suspended_at ?? undefined,
    suspendedMs: row.suspended_ms,
    stepped: row.stepped === 1 || hasSteps,
    runSeq,
    head: envelopeHead(row.id, row.thread_id, row.agent),
    request: undefined,
  };
}

/** The record of a run that has not ended. */
export function recordOf(userId: UserId, run: LiveRun, request: RunRequest): RunRecord {
  const record: RunRecord = {
    id: run.id,
    userId,
    threadId: run.threadId,
    agent: run.agent,
    status: run.status,
    input: request.input,
    metadata: request.metadata,
    origin: request.origin,
    priority: run.priority,
    attempt: run.attempt,
    fence: run.fence,
    createdAtMs: run.createdAtMs,
    suspendedMs: run.suspendedMs,
  };
  if (request.pipeline !== undefined) record.pipeline = request.pipeline;
  if (request.retryOf !== undefined) record.retryOf = request.retryOf;
  if (request.notBeforeMs !== undefined) record.notBeforeMs = request.notBeforeMs;
  if (run.hold !== undefined) record.heldBy = run.hold;
  if (run.cancelRequestedBy !== undefined) record.cancelRequestedBy = run.cancelRequestedBy;
  if (run.startedAtMs !== undefined) record.startedAtMs = run.startedAtMs;
  return record;
}

/** @throws CarrelError `internal` when the row can't be read */
export function recordFromRow(userId: UserId, row: RunRow, request: string | null): RunRecord {
  const record = recordOf(
    userId,
    liveRunFromRow(row, { runSeq: 0, hasSteps: false }),
    parsed(request, row.id) as RunRequest,
  );
  if (row.ended_at !== null) record.endedAtMs = row.ended_at;
  return row.outcome === null ? record : Object.assign(record, parsed(row.outcome, row.id) as StoredOutcome);
}

/** @throws CarrelError `internal` when the text is missing or not JSON */
export function parsed(text: unknown, id: string): unknown {
  try {
    if (typeof text === 'string') return JSON.parse(text);
  } catch (cause) {
    throw new CarrelError('internal', `What is stored of ${id} can't be read`, { cause });
  }
  throw new CarrelError('internal', `What is stored of ${id} is incomplete`);
}

function envelopeHead(runId: string, threadId: string, agent: string): string {
  return `,"runId":${JSON.stringify(runId)},"threadId":${JSON.stringify(threadId)},"agent":${JSON.stringify(agent)}`;
}
