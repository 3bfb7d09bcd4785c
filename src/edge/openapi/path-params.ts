import { APPROVAL_ID_PATTERN, RUN_ID_PATTERN, SCHEDULE_ID_PATTERN, THREAD_ID_PATTERN } from '../../shared/ids.js';
import { EXAMPLE_APPROVAL_ID, EXAMPLE_RUN_ID, EXAMPLE_SCHEDULE_ID, EXAMPLE_THREAD_ID } from './examples.js';

/** For `@ApiParam(…)`. */
export const RUN_ID_PARAM = idParam(RUN_ID_PATTERN, EXAMPLE_RUN_ID);
export const THREAD_ID_PARAM = idParam(THREAD_ID_PATTERN, EXAMPLE_THREAD_ID);
export const APPROVAL_ID_PARAM = idParam(APPROVAL_ID_PATTERN, EXAMPLE_APPROVAL_ID);
export const SCHEDULE_ID_PARAM = idParam(SCHEDULE_ID_PATTERN, EXAMPLE_SCHEDULE_ID);

function idParam({ source }: RegExp, example: string) {
  return { name: 'id', schema: { type: 'string', pattern: source }, example } as const;
}
