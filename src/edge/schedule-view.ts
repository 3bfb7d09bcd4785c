import type { ScheduleRecord } from '../execution/schedule-store.port.js';
import type { RunId, ScheduleId, ThreadId } from '../shared/ids.js';
import type { JsonObject, JsonValue } from '../shared/json.js';
import { isoTime, momentOf, type RunView } from './run-view.js';
import type { PipelineSpec } from '../execution/pipeline/pipeline-spec.js';

/** A recurring run as its owner sees it. Moments are ISO 8601, UTC. */
export interface ScheduleView extends Pick<RunView, 'agent'> {
  readonly id: ScheduleId;
  readonly pipeline?: string | PipelineSpec;
  readonly input: JsonValue;
  readonly threadId?: ThreadId;
  readonly metadata: JsonObject;
  readonly priority: number;
  readonly cron: string;
  readonly timeZone: string;
  readonly missed: ScheduleRecord['missed'];
  readonly paused: boolean;
  readonly createdAt: string;
  /** Missing when it is paused, or has no more times. */
  readonly nextAt?: string;
  readonly lastAt?: string;
  readonly lastRunId?: RunId;
  readonly lastSkipped?: string;
}

/** Leaves out what is the server's own: owner and roles. */
export function toScheduleView(schedule: ScheduleRecord): ScheduleView {
  const { agent, pipeline, input, threadId, metadata, priority } = schedule.request;
  return {
    id: schedule.id,
    agent,
    pipeline,
    input,
    threadId,
    metadata,
    priority,
    cron: schedule.cron,
    timeZone: schedule.timeZone,
    missed: schedule.missed,
    paused: schedule.paused,
    createdAt: isoTime(schedule.createdAtMs),
    nextAt: momentOf(schedule.nextAtMs),
    lastAt: momentOf(schedule.lastAtMs),
    lastRunId: schedule.lastRunId,
    lastSkipped: schedule.lastSkipped,
  };
}
