import { SCHEDULE_ID_PATTERN } from '../shared/ids.js';
import { IfGiven, Matches } from './checks.js';
import { ApiPropertyOptional } from './openapi/api-decorators.js';
import { CURSOR, LimitQuery } from './page.query.js';

/** What `GET /v1/schedules` takes. */
export class ScheduleListQuery extends LimitQuery {
  @ApiPropertyOptional({ description: '`nextCursor` of the page before.', pattern: SCHEDULE_ID_PATTERN.source })
  @IfGiven()
  @Matches(SCHEDULE_ID_PATTERN, CURSOR)
  cursor?: string;
}
