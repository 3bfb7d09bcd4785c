import { APPROVAL_ID_PATTERN, RUN_ID_PATTERN, type RunId } from '../shared/ids.js';
import { IfGiven, IsIn, Matches } from './checks.js';
import { ApiPropertyOptional } from './openapi/api-decorators.js';
import { CURSOR, LimitQuery } from './page.query.js';

const STATUSES = ['open', 'all'] as const;

/** What `GET /v1/approvals` takes. */
export class ApprovalListQuery extends LimitQuery {
  @ApiPropertyOptional({ description: '`nextCursor` of the page before.', pattern: APPROVAL_ID_PATTERN.source })
  @IfGiven()
  @Matches(APPROVAL_ID_PATTERN, CURSOR)
  cursor?: string;

  @ApiPropertyOptional({
    enum: [...STATUSES],
    default: 'open',
    description: '`all`: those of your own runs that have been decided, too.',
  })
  @IsIn(STATUSES, { message: `status must be one of ${STATUSES.join(', ')}` })
  status: (typeof STATUSES)[number] = 'open';

  @ApiPropertyOptional({ description: 'Only what this run of yours asks.', pattern: RUN_ID_PATTERN.source })
  @IfGiven()
  @Matches(RUN_ID_PATTERN, { message: 'runId must be the id of a run' })
  runId?: RunId;
}
