import { IfGiven } from './checks.js';
import { ApiPropertyOptional } from './openapi/api-decorators.js';
import { LimitQuery, WholeNumber } from './page.query.js';

const AFTER = { type: 'integer', minimum: 0, description: 'Only events behind this `seq`.' } as const;

/** What a page of events takes. */
export class EventPageQuery extends LimitQuery {
  @ApiPropertyOptional({ ...AFTER, default: 0 })
  @WholeNumber(0)
  after: number = 0;
}

/** What a stream of events takes. */
export class EventStreamQuery {
  @ApiPropertyOptional({
    ...AFTER,
    default: 0,
    description: `${AFTER.description} The header \`Last-Event-ID\` goes before it.`,
  })
  @IfGiven()
  @WholeNumber(0)
  after?: number;
}
