import { IsBoolean } from './checks.js';
import { ApiPropertyOptional } from './openapi/api-decorators.js';

/** What `POST /v1/runs/:id/retry` takes. */
export class RetryDto {
  @ApiPropertyOptional({
    default: false,
    description: 'Steps that have finished are not done again: the new run has their results.',
  })
  @IsBoolean({ message: 'reuseSteps must be true or false' })
  reuseSteps: boolean = false;
}
