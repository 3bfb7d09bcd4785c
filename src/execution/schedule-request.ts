import type { CronTimes } from './schedule-times.js';
import type { RunRequest } from './run-request.js';
import type { ScheduledRequest, ScheduleRecord } from './schedule-store.port.js';
import type { PreparedRun } from './run-preparation.service.js';
import { CarrelError } from '../shared/errors.js';

/** A recurring run that somebody asks for: what to run, and when. */
export interface ScheduleRequest extends Pick<
  RunRequest,
  'agent' | 'pipeline' | 'input' | 'threadId' | 'metadata' | 'priority'
> {
  /** Five fields, or six with seconds first; at most once a minute. */
  cron: string;
  /** IANA name. @default 'UTC' */
  timeZone?: string;
  /** What becomes of times that passed while no server ran: nothing, or one run for all of them. @default 'skip' */
  missed?: ScheduleRecord['missed'];
  /** @default false */
  paused?: boolean;
}

/** What is not given stays as it is. Whoever gives an agent takes the pipeline away, and the other way round. */
export type ScheduleChange = Partial<ScheduleRequest>;

const MISSED: readonly ScheduleRecord['missed'][] = ['skip', 'run_once'];

/** @throws CarrelError `invalid_schedule` */
export function optionsOf(
  { cron, timeZone, missed, paused }: ScheduleChange,
  otherwise: CronTimes & Pick<ScheduleRecord, 'missed' | 'paused'>,
): CronTimes & Pick<ScheduleRecord, 'missed' | 'paused'> {
  const options = {
    cron: cron ?? otherwise.cron,
    timeZone: timeZone ?? otherwise.timeZone,
    missed: missed ?? otherwise.missed,
    paused: paused ?? otherwise.paused,
  };
  if (!MISSED.includes(options.missed))
    throw new CarrelError('invalid_schedule', `missed must be ${MISSED.join(' or ')}`);
  if (typeof options.paused !== 'boolean') throw new CarrelError('invalid_schedule', 'paused must be true or false');
  return options;
}

/** The request that a change makes of a schedule's; undefined when it leaves it as it is. */
export function changedRequest(request: ScheduledRequest, change: ScheduleChange): RunRequest | undefined {
  const { agent, pipeline, input, threadId, metadata, priority } = change;
  const given = [agent, pipeline, input, threadId, metadata, priority];
  if (given.every((value) => value === undefined)) return undefined;
  const target = agent === undefined && pipeline === undefined ? request : { agent, pipeline };
  return {
    agent: target.agent,
    pipeline: target.pipeline,
    input: input === undefined ? request.input : input,
    threadId: threadId ?? request.threadId,
    metadata: metadata ?? request.metadata,
    priority: priority ?? request.priority,
  };
}

/** What is kept of a request whose run could be prepared. Without a thread of its own each of its runs gets a new one. */
export function scheduledRequest({ agent, pipeline, threadId }: RunRequest, run: PreparedRun): ScheduledRequest {
  return {
    agent,
    pipeline,
    input: run.input,
    threadId: threadId === undefined ? undefined : run.threadId,
    metadata: run.metadata,
    priority: run.priority ?? 0,
  };
}
