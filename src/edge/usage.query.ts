import { applyDecorators } from '@nestjs/common';
import { DAY_MS } from '../execution/usage-store.port.js';
import { CarrelError } from '../shared/errors.js';
import { IfGiven, IsISO8601, Matches } from './checks.js';
import { ApiPropertyOptional } from './openapi/api-decorators.js';

const DEFAULT_DAYS = 30;

/** A time without a zone would be another one on each machine. */
const ISO_TIME = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d))?$/;

function IsoTime(): PropertyDecorator {
  const message = '$property must be a time such as 2026-03-01T09:30:00Z, or a day such as 2026-03-01';
  return applyDecorators(IfGiven(), Matches(ISO_TIME, { message }), IsISO8601({ strict: true }, { message }));
}

/** What `GET /v1/me/usage` takes. */
export class UsageQuery {
  @ApiPropertyOptional({
    format: 'date-time',
    description: `From the UTC day of this time on; without it ${DEFAULT_DAYS} days before \`to\`.`,
    example: '2026-03-01T00:00:00Z',
  })
  @IsoTime()
  from?: string;

  @ApiPropertyOptional({
    format: 'date-time',
    description: 'Up to this time, to the end of its UTC day; without it now.',
    example: '2026-03-31T00:00:00Z',
  })
  @IsoTime()
  to?: string;
}

/**
 * The UTC days that are touched from `from` to just before `to`, numbered from the Unix epoch.
 *
 * @throws CarrelError `invalid_request` when there is no time between them
 */
export function daysOf({ from, to }: UsageQuery, nowMs: number): { first: number; last: number } {
  const endMs = to === undefined ? nowMs : Date.parse(to);
  const beginMs = from === undefined ? endMs - DEFAULT_DAYS * DAY_MS : Date.parse(from);
  if (!(beginMs < endMs)) throw new CarrelError('invalid_request', 'from must be earlier than to');
  return { first: Math.floor(beginMs / DAY_MS), last: Math.floor((endMs - 1) / DAY_MS) };
}
