import { ApiPropertyOptional } from '../openapi/api-decorators.js';
import { LimitQuery, WholeNumber } from '../page.query.js';

const DEFAULT_QUIET_MS = 120_000;
const MAX_QUIET_MS = 31 * 24 * 60 * 60 * 1_000;

/** What `GET /v1/admin/stuck-runs` takes. */
export class QuietRunsQuery extends LimitQuery {
  @ApiPropertyOptional({
    type: 'integer',
    minimum: 0,
    maximum: MAX_QUIET_MS,
    default: DEFAULT_QUIET_MS,
    description: 'How long nothing was heard of them.',
  })
  @WholeNumber(0, MAX_QUIET_MS)
  quietForMs: number = DEFAULT_QUIET_MS;
}
