import type { RunError, Usage } from '../events/run-event.js';
import type { RunStatus } from '../execution/run-status.js';
import type { RunRecord } from '../execution/run-store.port.js';
import type { RunId, ThreadId } from '../shared/ids.js';
import type { JsonObject, JsonValue } from '../shared/json.js';

/** A run as its owner sees it, over HTTP and in acknowledgements. Moments are ISO 8601, UTC. */
export interface RunView {
  readonly id: RunId;
  readonly status: RunStatus;
  readonly agent: string;
  readonly threadId: ThreadId;
  readonly input: JsonValue;
  readonly metadata: JsonObject;
  readonly result?: JsonValue;
  readonly error?: RunError;
  readonly usage?: Usage;
  /** 0 while it has never run. */
  readonly attempt: number;
  readonly createdAt: string;
  readonly startedAt?: string;
  readonly endedAt?: string;
}

/** Leaves out what is the server's own: owner, fence, origin. */
export function toRunView(run: RunRecord): RunView {
  return {
    id: run.id,
    status: run.status,
    agent: run.agent,
    threadId: run.threadId,
    input: run.input,
    metadata: run.metadata,
    result: run.result,
    error: run.error,
    usage: run.usage,
    attempt: run.attempt,
    createdAt: isoTime(run.createdAtMs),
    startedAt: run.startedAtMs === undefined ? undefined : isoTime(run.startedAtMs),
    endedAt: run.endedAtMs === undefined ? undefined : isoTime(run.endedAtMs),
  };
}

/** Milliseconds since the Unix epoch as ISO 8601, UTC. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
