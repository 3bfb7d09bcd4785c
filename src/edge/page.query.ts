import { applyDecorators } from '@nestjs/common';
import { IfGiven, IsInt, IsString, Length, Max, Min, Transform } from './checks.js';
import { ApiPropertyOptional } from './openapi/api-decorators.js';

const DEFAULT_PAGE_SIZE = 50;
const MAX_PAGE_SIZE = 200;

/** What a refused cursor is told. */
export const CURSOR = { message: 'cursor must be the nextCursor of the page before' };

/** A whole number in a query. */
export function WholeNumber(min: number, max = Number.MAX_SAFE_INTEGER): PropertyDecorator {
  const range = max === Number.MAX_SAFE_INTEGER ? `, at least ${min}` : ` from ${min} to ${max}`;
  const message = `$property must be a whole number${range}`;
  return applyDecorators(
    // What is no number stays as it is, and is refused.
    Transform(({ value }: { value: unknown }) => (isDigits(value) ? Number(value) : value)),
    IsInt({ message }),
    Min(min, { message }),
    Max(max, { message }),
  );
}

function isDigits(value: unknown): boolean {
  return typeof value === 'string' && /^\d{1,15}$/.test(value);
}

export class LimitQuery {
  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    maximum: MAX_PAGE_SIZE,
    default: DEFAULT_PAGE_SIZE,
    description: 'How many items at most.',
  })
  @WholeNumber(1, MAX_PAGE_SIZE)
  limit: number = DEFAULT_PAGE_SIZE;
}

export class PageQuery extends LimitQuery {
  @ApiPropertyOptional({ description: '`nextCursor` of the page before.', maxLength: 256 })
  @IfGiven()
  @IsString(CURSOR)
  @Length(1, 256, CURSOR)
  cursor?: string;
}
