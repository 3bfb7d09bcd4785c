import type { PipeTransform } from '@nestjs/common';
import { CarrelError } from '../shared/errors.js';
import { RUN_ID_PATTERN, THREAD_ID_PATTERN, type RunId, type ThreadId } from '../shared/ids.js';

/** An id of a form that no run can have is answered like the id of no run. */
export const RUN_ID: PipeTransform<string, RunId> = idPipe<RunId>(RUN_ID_PATTERN, 'there is no such run');
export const THREAD_ID: PipeTransform<string, ThreadId> = idPipe<ThreadId>(
  THREAD_ID_PATTERN,
  'there is no such thread',
);

function idPipe<Id extends string>(pattern: RegExp, missing: string): PipeTransform<string, Id> {
  return {
    transform(value) {
      if (!pattern.test(value)) throw new CarrelError('not_found', missing);
      return value as Id;
    },
  };
}
