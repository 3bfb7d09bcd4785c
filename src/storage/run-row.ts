import type { RunError, Usage } from '../events/run-event.js';
import type { NewRun, RunOrigin, RunRecord } from '../execution/run-store.port.js';
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
  attempt: number;
  fence: number;
  cancelRequestedBy: string | undefined;
  readonly createdAtMs: number;
  startedAtMs: number | undefined;
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
}

/** The column `request`: what never changes. */
export interface RunRequest {
  input: JsonValue;
  metadata: JsonObject;
  origin: RunOrigin;
}

/** The column `outcome`: what is known at the end. */
export interface StoredOutcome {
  result?: JsonValue;
  error?: RunError;
  usage?: Usage;
}

/** A run as it begins: in line, or claimed at once. */
export function liveRunOf(
  run: NewRun,
  key: number,
  { admitted, claimed }: { admitted: boolean; claimed: boolean },
): LiveRun {
  return {
    key,
    id: run.id,
    threadId: run.threadId,
    agent: run.agent,
    status: claimed ? 'running' : 'queued',
    admitted,
    attempt: claimed ? 1 : 0,
    fence: claimed ? 1 : 0,
    cancelRequestedBy: undefined,
    createdAtMs: run.createdAtMs,
    startedAtMs: claimed ? run.createdAtMs : undefined,
    runSeq: 0,
    head: envelopeHead(run.id, run.threadId, run.agent),
    request: undefined,
  };
}

export function liveRunFromRow(row: RunRow, runSeq: number): LiveRun {
  return {
    key: row.key,
    id: row.id as RunId,
    threadId: row.thread_id as ThreadId,
    agent: row.agent,
    status: row.status as RunStatus,
    admitted: row.admitted === 1,
    attempt: row.attempt,
    fence: row.fence,
    cancelRequestedBy: row.cancel_requested_by ?? undefined,
    createdAtMs: row.created_at,
    startedAtMs: row.started_at ?? undefined,
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
    attempt: run.attempt,
    fence: run.fence,
    createdAtMs: run.createdAtMs,
  };
  if (run.cancelRequestedBy !== undefined) record.cancelRequestedBy = run.cancelRequestedBy;
  if (run.startedAtMs !== undefined) record.startedAtMs = run.startedAtMs;
  return record;
}

/** @throws CarrelError `internal` when the row can't be read */
export function recordFromRow(userId: UserId, row: RunRow, request: string | null): RunRecord {
  const record = recordOf(userId, liveRunFromRow(row, 0), parsed(request, row.id) as RunRequest);
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
