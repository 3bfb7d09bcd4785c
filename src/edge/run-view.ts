import type { RunError, Usage } from '../events/run-error.js';
import type { PipelineSpec } from '../execution/pipeline/pipeline-spec.js';
import type { RunStatus } from '../execution/run-status.js';
import type { RunHold, RunRecord } from '../execution/run-store.port.js';
import type { RunId, ThreadId } from '../shared/ids.js';
import type { JsonObject, JsonValue } from '../shared/json.js';

/** A run as its owner sees it, over HTTP and in acknowledgements. Moments are ISO 8601, UTC. */
export interface RunView {
  readonly id: RunId;
  readonly status: RunStatus;
  /** Name of the agent, or else of the pipeline: a run has one of them. */
  readonly agent?: string;
  readonly pipeline?: string;
  /** The whole pipeline, when it came with the request. */
  readonly spec?: PipelineSpec;
  readonly threadId: ThreadId;
  readonly input: JsonValue;
  readonly metadata: JsonObject;
  readonly priority: number;
  /** The run that this one tries again. */
  readonly retryOf?: RunId;
  /** Why it waits although there may be room in its owner's lane. */
  readonly heldBy?: RunHold;
  /** It waits at least until then. */
  readonly notBefore?: string;
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
    ...namesOf(run),
    threadId: run.threadId,
    input: run.input,
    metadata: run.metadata,
    priority: run.priority,
    retryOf: run.retryOf,
    heldBy: run.heldBy,
    notBefore: momentOf(run.notBeforeMs),
    result: run.result,
    error: run.error,
    usage: run.usage,
    attempt: run.attempt,
    createdAt: isoTime(run.createdAtMs),
    startedAt: momentOf(run.startedAtMs),
    endedAt: momentOf(run.endedAtMs),
  };
}

/** What a run runs, by name. */
export function namesOf({
  agent,
  pipeline,
}: Pick<RunRecord, 'agent' | 'pipeline'>): Pick<RunView, 'agent' | 'pipeline' | 'spec'> {
  if (pipeline === undefined) return { agent };
  return typeof pipeline === 'string' ? { pipeline } : { pipeline: agent, spec: pipeline };
}

/** Milliseconds since the Unix epoch as ISO 8601, UTC. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

/** The same of a moment that may not have come. */
export function momentOf(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : isoTime(ms);
}
