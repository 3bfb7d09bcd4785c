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
export const runIdOf = idReader<RunId>(RUN_ID_PATTERN, 'there is no such run');
export const approvalIdOf = idReader<ApprovalId>(APPROVAL_ID_PATTERN, 'there is no such question');
const threadIdOf = idReader<ThreadId>(THREAD_ID_PATTERN, 'there is no such thread');
const scheduleIdOf = idReader<ScheduleId>(SCHEDULE_ID_PATTERN, 'there is no such schedule');

/** For `@Param('id', …)`. */
export const RUN_ID: PipeTransform<string, RunId> = { transform: runIdOf };
export const APPROVAL_ID: PipeTransform<string, ApprovalId> = { transform: approvalIdOf };
export const THREAD_ID: PipeTransform<string, ThreadId> = { transform: threadIdOf };
export const SCHEDULE_ID: PipeTransform<string, ScheduleId> = { transform: scheduleIdOf };

/** @returns a function that throws CarrelError `not_found` for what can't be an id */
function idReader<Id extends string>(pattern: RegExp, missing: string): (value: string) => Id {
  return (value) => {
    if (!pattern.test(value)) throw new CarrelError('not_found', missing);
    return value as Id;
  };
}
