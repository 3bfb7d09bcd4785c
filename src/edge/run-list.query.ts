import { RUN_STATUSES, type RunStatus } from '../execution/run-status.js';
import { RUN_ID_PATTERN, THREAD_ID_PATTERN, type ThreadId } from '../shared/ids.js';
import { IfGiven, IsIn, Matches } from './checks.js';
import { ApiPropertyOptional } from './openapi/api-decorators.js';
import { CURSOR, LimitQuery } from './page.query.js';

/** A page of runs. */
export class RunPageQuery extends LimitQuery {
  @ApiPropertyOptional({ description: '`nextCursor` of the page before.', pattern: RUN_ID_PATTERN.source })
  @IfGiven()
  @Matches(RUN_ID_PATTERN, CURSOR)
  cursor?: string;

  @ApiPropertyOptional({ enum: [...RUN_STATUSES], description: 'Only runs of this status.' })
  @IfGiven()
  @IsIn(RUN_STATUSES, { message: `status must be one of ${RUN_STATUSES.join(', ')}` })
  status?: RunStatus;
}

/** What `GET /v1/runs` takes. */
export class RunListQuery extends RunPageQuery {
  @ApiPropertyOptional({ description: 'Only runs of this thread.', pattern: THREAD_ID_PATTERN.source })
  @IfGiven()
  @Matches(THREAD_ID_PATTERN, { message: 'threadId must be the id of a thread' })
  threadId?: ThreadId;
}
