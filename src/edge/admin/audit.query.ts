import { AUDIT_ID_PATTERN } from '../../shared/ids.js';
import { IfGiven, Matches } from '../checks.js';
import { ApiPropertyOptional } from '../openapi/api-decorators.js';
import { CURSOR, LimitQuery } from '../page.query.js';

/** What `GET /v1/admin/audit` takes. */
export class AuditQuery extends LimitQuery {
  @ApiPropertyOptional({ description: '`nextCursor` of the page before.', pattern: AUDIT_ID_PATTERN.source })
  @IfGiven()
  @Matches(AUDIT_ID_PATTERN, CURSOR)
  cursor?: string;
}
