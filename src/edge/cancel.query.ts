import { IsBoolean, Transform } from './checks.js';
import { ApiPropertyOptional } from './openapi/api-decorators.js';

/** What `POST /v1/runs/:id/cancel` takes. */
export class CancelQuery {
  @ApiPropertyOptional({
    type: Boolean,
    default: false,
    description: "Answer when the run's work is down, not before.",
  })
  @Transform(({ value }: { value: unknown }) => (value === 'true' ? true : value === 'false' ? false : value))
  @IsBoolean({ message: 'wait must be true or false' })
  wait: boolean = false;
}
