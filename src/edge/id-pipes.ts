import type { PipeTransform } from '@nestjs/common';
import { CarrelError } from '../shared/errors.js';
import {
  APPROVAL_ID_PATTERN,
  RUN_ID_PATTERN,
  SCHEDULE_ID_PATTERN,
  THREAD_ID_PATTERN,
  type ApprovalId,
  type RunId,
  type ScheduleId,
  type ThreadId,
} from '../shared/ids.js';

/** An id of a form that nothing can have is answered like the id of nothing. */
export const runIdOf = (value: string) => checked(value, RUN_ID_PATTERN, 'run') as RunId;
export const approvalIdOf = (value: string) => checked(value, APPROVAL_ID_PATTERN, 'question') as ApprovalId;
const threadIdOf = (value: string) => checked(value, THREAD_ID_PATTERN, 'thread') as ThreadId;
const scheduleIdOf = (value: string) => checked(value, SCHEDULE_ID_PATTERN, 'schedule') as ScheduleId;

/** For `@Param('id', …)`. */
export const RUN_ID: PipeTransform<string, RunId> = { transform: runIdOf };
export const APPROVAL_ID: PipeTransform<string, ApprovalId> = { transform: approvalIdOf };
export const THREAD_ID: PipeTransform<string, ThreadId> = { transform: threadIdOf };
export const SCHEDULE_ID: PipeTransform<string, ScheduleId> = { transform: scheduleIdOf };

function checked(value: string, pattern: RegExp, what: string): string {
  if (!pattern.test(value)) throw new CarrelError('not_found', `there is no such ${what}`);
  return value;
}
