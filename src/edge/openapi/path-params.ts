import { RUN_ID_PATTERN, THREAD_ID_PATTERN } from '../../shared/ids.js';
import { EXAMPLE_RUN_ID, EXAMPLE_THREAD_ID } from './examples.js';

/** For `@ApiParam(…)`. */
export const RUN_ID_PARAM = {
  name: 'id',
  schema: { type: 'string', pattern: RUN_ID_PATTERN.source },
  example: EXAMPLE_RUN_ID,
} as const;

export const THREAD_ID_PARAM = {
  name: 'id',
  schema: { type: 'string', pattern: THREAD_ID_PATTERN.source },
  example: EXAMPLE_THREAD_ID,
} as const;
